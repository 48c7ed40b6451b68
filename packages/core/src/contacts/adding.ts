/** Making and taking invites, and adding by account id. */
import { SkeinError } from '../errors/index.ts'
import { accountDigest, type AccountId, isAccountId } from '../ids.ts'
import {
  formatInvite,
  type Invite,
  inviteAdmission,
  inviteExpiry,
  inviteHash,
  inviteLocator,
  openAccountRecord,
  openContactCard,
  openInviteCard,
  parseInvite,
  sealInviteCard,
} from '../identity/index.ts'
import type { StoredContact, StoredInvite } from '../ports/store.ts'
import { decodeInviteCard, encodeHandover, encodeInviteCard } from '../wire/handover.ts'
import { decodeSigned, encodeSigned } from '../wire/signed.ts'
import type { ContactDeps } from './contact-deps.ts'

/**
 * A new invite, its card left with the relays that are joined.
 * @param at URL to be named instead of a relay's: of a page that this device itself serves
 */
export async function makeInvite(deps: ContactDeps, at?: string): Promise<{ readonly invite: string; readonly expiresAt: number }> {
  const invite: StoredInvite = { secret: deps.random.bytes(16), expiresAt: inviteExpiry(deps.clock.now()), revoked: false, admitted: 0 }
  await deps.store.commit([{ kind: 'invite.put', invite }])
  await leaveInviteCard(deps, invite)
  const relay = at ?? deps.ownCard().relays[0] ?? null
  const text = formatInvite(deps.primitives, { account: deps.identity.account, secret: invite.secret, expiresAt: invite.expiresAt, relay })
  return { invite: text, expiresAt: invite.expiresAt }
}

/** Our card for the invited, sealed under the invite's secret. */
export function sealInvite({ primitives, random, ownCard, handovers }: ContactDeps, { secret }: StoredInvite): Uint8Array {
  const handover = handovers.forInvited(inviteHash(primitives, secret))
  return sealInviteCard(primitives, encodeInviteCard({ card: ownCard().signed, handover }), { secret, salt: random.bytes(16) })
}

async function leaveInviteCard(deps: ContactDeps, invite: StoredInvite): Promise<void> {
  const { primitives, directory } = deps
  await directory.leaveCard(inviteLocator(primitives, invite.secret), sealInvite(deps, invite), invite.expiresAt)
  await directory.registerInvite(primitives.sha256(inviteAdmission(primitives, invite.secret)), invite.expiresAt)
}

/** Leaves the cards of all open invites again: a relay has been joined, or the card has changed. */
export async function leaveInviteCards(deps: ContactDeps): Promise<void> {
  const now = deps.clock.now()
  for (const invite of await deps.store.invites()) if (!invite.revoked && invite.expiresAt > now) await leaveInviteCard(deps, invite)
}

/** Publishes the account's record again, for the same reasons. */
export async function publishOwnRecord(deps: ContactDeps): Promise<void> {
  const { relays, issuedAt, bundle } = deps.ownCard()
  const record = deps.identity.signRecord({ relays, issuedAt, bundle })
  await deps.directory.publishRecord(accountDigest(deps.identity.account), encodeSigned(record))
}

/**
 * Takes up an invite: the inviter's card is fetched, opened and checked; the contact is `pending` until introduced.
 * @throws SkeinError of parseInvite, INVITE_OWN, INVITE_FORGED, CONTACT_UNKNOWN, RELAY_UNREACHABLE
 */
export async function addByInvite(deps: ContactDeps, text: string, petname?: string): Promise<StoredContact> {
  const invite = parseInvite(deps.primitives, text, deps.clock.now())
  if (invite.account === deps.identity.account)
    throw new SkeinError('INVITE_OWN', 'This is your own invite; give it to the person you want to talk to.')
  const { card: signed, handover } = decodeInviteCard(openInviteCard(deps.primitives, await fetchInviteCard(deps, invite), invite.secret))
  const card = openContactCard(deps.primitives, signed)
  if (card.list.account !== invite.account) throw new SkeinError('INVITE_FORGED', 'The card behind this invite belongs to somebody else.')
  const known = deps.book.get(invite.account)
  const state = known?.state === 'accepted' ? 'accepted' : 'pending'
  const contact = await deps.book.putCard(card, signed, {
    state,
    pendingInvite: text.trim(),
    ...(petname === undefined ? {} : { petname }),
  })
  // What the device has handed to us ourselves is better.
  if (handover !== undefined && deps.book.device(card.device)?.handover.length === 0)
    await deps.book.handover(card.device, encodeHandover(handover))
  deps.onContact(contact)
  return contact
}

async function fetchInviteCard({ directory, primitives }: ContactDeps, invite: Invite): Promise<Uint8Array> {
  if (invite.relay === null) throw new SkeinError('RELAY_UNREACHABLE', 'This invite names no relay, and its owner is not on this network.')
  const sealed = await directory.fetchCard(inviteLocator(primitives, invite.secret), invite.relay)
  if (sealed === null || sealed.length === 0)
    throw new SkeinError(
      'CONTACT_UNKNOWN',
      'The relay holds no card for this invite: it was revoked, or never reached the relay. Ask for a new one.',
    )
  await directory.showInvite(inviteAdmission(primitives, invite.secret), invite.relay)
  return sealed
}

/** @param text an invite, or an account id @throws SkeinError as addByInvite and addByAccount */
export function addByText(deps: ContactDeps, text: string, petname?: string): Promise<StoredContact> {
  const wanted = text.trim()
  return isAccountId(wanted) ? addByAccount(deps, wanted, petname) : addByInvite(deps, wanted, petname)
}

/** Asks the account's devices, found through the DHT, for contact. @throws SkeinError CONTACT_UNKNOWN, CARD_FORGED */
export async function addByAccount(deps: ContactDeps, account: AccountId, petname?: string): Promise<StoredContact> {
  const known = deps.book.get(account)
  if (known !== undefined) return acceptRequest(deps, known, petname)
  const bytes = await deps.directory.findRecord(accountDigest(account))
  if (bytes === null) throw new SkeinError('CONTACT_UNKNOWN', 'Nobody with this account id was found.')
  const signed = decodeSigned(bytes)
  const record = openAccountRecord(deps.primitives, signed)
  if (record.list.account !== account) throw new SkeinError('CARD_FORGED', 'The record found belongs to somebody else.')
  // The record stands in for the card until the other side shows its own.
  const contact = await deps.book.putCard({ ...record, name: '', mailboxes: [], bundles: [] }, signed, {
    state: 'pending',
    ...(petname === undefined ? {} : { petname }),
  })
  deps.onContact(contact)
  return contact
}

async function acceptRequest(deps: ContactDeps, known: StoredContact, petname?: string): Promise<StoredContact> {
  const state = known.state === 'requested' ? 'pending' : known.state
  const contact = await deps.book.change(known.account, { state, ...(petname === undefined ? {} : { petname }) })
  deps.onContact(contact)
  return contact
}
