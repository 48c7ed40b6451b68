/** `/skein/contact/1`: two devices show each other their cards; a proven invite makes both contacts at once. */
import { isSkeinError, SkeinError } from '../errors/index.ts'
import { accountDigest, deviceKey, type DeviceId } from '../ids.ts'
import { type ContactCard, inviteHash, inviteProof, openContactCard, parseInvite } from '../identity/index.ts'
import type { Channel } from '../ports/swarm.ts'
import type { StoredContact, StoredInvite } from '../ports/store.ts'
import { type ContactFrameFields, decodeContactFrame, encodeContactFrame } from '../wire/contact.ts'
import { encodeHandover } from '../wire/handover.ts'
import { type ContactDeps, sameBytes } from './contact-deps.ts'
import { MAX_REQUESTS } from './contact-book.ts'

export const CONTACT_PROTOCOL = '/skein/contact/1'
const NONE = new Uint8Array()
/** An answer later than this is not waited for; the introduction is tried again (CT4). */
const ANSWER_WITHIN_MS = 10_000

type Introduction = Extract<ContactFrameFields, { kind: 'introduction' }>
type Answer = Extract<ContactFrameFields, { kind: 'answer' }>

/** Opens a card and checks that it belongs to the device at the other end. @throws SkeinError BAD_SIGNATURE, WRONG_DEVICE */
function cardOf(deps: ContactDeps, signed: Introduction['card'], peer: DeviceId): ContactCard {
  const card = openContactCard(deps.primitives, signed)
  if (!card.list.devices.some(({ device }) => device === peer))
    throw new SkeinError('WRONG_DEVICE', 'A device showed the card of somebody else.')
  return card
}

export interface Shown {
  /** Whether the card has left for the device. */
  readonly isSent: boolean
  /** What the device said to it. */
  readonly answer?: { readonly bytes: Uint8Array; readonly peer: DeviceId }
}

/** Shows our card to a device and reads what it says to that, if anything. @param frame made once there is a channel */
export async function showCard(
  deps: ContactDeps,
  { device, relays }: { readonly device: DeviceId; readonly relays: readonly string[] },
  frame: () => Promise<Introduction>,
): Promise<Shown> {
  const opened = await deps.swarm.open(device, CONTACT_PROTOCOL, { relays })
  if (opened.kind === 'absent') return { isSent: false }
  const { channel } = opened
  const late = new AbortController()
  void deps.clock.sleep(ANSWER_WITHIN_MS, { signal: late.signal }).then((over) => over && channel.close())
  try {
    const isSent = await channel.send(encodeContactFrame(await frame()))
    for await (const bytes of channel.frames()) return { isSent, answer: { bytes, peer: channel.peer } }
    return { isSent }
  } finally {
    late.abort()
    channel.close()
  }
}

/** Our card without a proof: whoever does not know us takes it for a request. */
export function plainIntroduction(deps: ContactDeps): Introduction {
  return { kind: 'introduction', card: deps.ownCard().signed, proof: NONE, inviteHash: NONE, handover: undefined }
}

/** Shows our card to one device of a contact; true when it answered that it has us as a contact. */
export async function introduce(deps: ContactDeps, contact: StoredContact, device: DeviceId): Promise<boolean> {
  const secret = pendingSecret(deps, contact)
  const { answer } = await showCard(deps, { device, relays: contact.relays }, async () => {
    const handover = await deps.handovers.forDevice(accountDigest(contact.account), device)
    return { ...introductionFrame(deps, secret, device), handover }
  })
  return answer === undefined ? false : takeAnswer(deps, { ...answer, contact, secret })
}

/** Shows our card to a device that is in our list no more, so that it knows (DV8); nothing else passes. Never throws. */
export async function showOut(deps: ContactDeps, device: DeviceId): Promise<void> {
  await showCard(deps, { device, relays: deps.ownCard().relays }, async () => plainIntroduction(deps))
}

function pendingSecret(deps: ContactDeps, contact: StoredContact): Uint8Array | null {
  if (contact.pendingInvite === '') return null
  try {
    return parseInvite(deps.primitives, contact.pendingInvite, deps.clock.now()).secret
  } catch {
    return null // expired meanwhile: we remain a request
  }
}

function introductionFrame(
  { primitives, identity, ownCard }: ContactDeps,
  secret: Uint8Array | null,
  device: DeviceId,
): Omit<Introduction, 'handover'> {
  const card = ownCard().signed
  if (secret === null) return { kind: 'introduction', card, proof: NONE, inviteHash: NONE }
  const proof = inviteProof(primitives, secret, { prover: identity.deviceKey, verifier: deviceKey(device) })
  return { kind: 'introduction', card, proof, inviteHash: inviteHash(primitives, secret) }
}

interface AnswerContext {
  readonly bytes: Uint8Array
  readonly peer: DeviceId
  readonly contact: StoredContact
  readonly secret: Uint8Array | null
}

/** An answer and the card in it. @throws SkeinError BAD_FRAME, BAD_SIGNATURE, WRONG_DEVICE */
export function openAnswer(deps: ContactDeps, bytes: Uint8Array, peer: DeviceId): { readonly answer: Answer; readonly card: ContactCard } {
  const answer = decodeContactFrame(bytes)
  if (answer.kind !== 'answer') throw new SkeinError('BAD_FRAME', 'An introduction was answered with another.')
  return { answer, card: cardOf(deps, answer.card, peer) }
}

async function takeAnswer(deps: ContactDeps, { bytes, peer, contact, secret }: AnswerContext): Promise<boolean> {
  const { answer, card } = openAnswer(deps, bytes, peer)
  if (card.list.account !== contact.account) throw new SkeinError('CARD_FORGED', 'Somebody else answered in place of a contact.')
  if (deps.book.isOwn(contact.account)) return takeOwnAnswer(deps, answer, { card, peer })
  if (secret !== null) checkAnswerProof(deps, answer, { secret, peer })
  const state = answer.accepted ? 'accepted' : contact.state
  const changed = await deps.book.putCard(card, answer.card, answer.accepted ? { state, pendingInvite: '' } : { state })
  await keepHandover(deps, peer, answer)
  await deps.book.cardSent(peer, deps.ownCard().issuedAt)
  deps.onContact(changed)
  return answer.accepted
}

/** Of another device of ours, or of one that knows that this one is none any more (DV8). */
async function takeOwnAnswer(deps: ContactDeps, answer: Answer, { card, peer }: { card: ContactCard; peer: DeviceId }): Promise<boolean> {
  if (!(await deps.onOwnCard(card, answer.card)) || !answer.accepted) return false
  await keepHandover(deps, peer, answer)
  await deps.book.cardSent(peer, deps.ownCard().issuedAt)
  tellOwn(deps)
  return true
}

function checkAnswerProof(
  { primitives, identity }: ContactDeps,
  answer: Answer,
  { secret, peer }: { secret: Uint8Array; peer: DeviceId },
): void {
  const wanted = inviteProof(primitives, secret, { prover: deviceKey(peer), verifier: identity.deviceKey })
  if (answer.accepted && !sameBytes(wanted, answer.proof)) throw new SkeinError('INVITE_FORGED', 'The other side does not know the invite.')
}

/** Serves one introduction. Strangers without a proven invite become a request, and are told nothing. */
export async function serveIntroduction(deps: ContactDeps, channel: Channel): Promise<void> {
  try {
    for await (const bytes of channel.frames()) {
      await answerIntroduction(deps, channel, bytes)
      break
    }
  } catch (error) {
    const code = isSkeinError(error) ? error.code : 'BAD_FRAME'
    deps.logger.warn('introduction-refused', { code })
    deps.swarm.penalise(channel.peer, code)
  } finally {
    channel.close()
  }
}

async function answerIntroduction(deps: ContactDeps, channel: Channel, bytes: Uint8Array): Promise<void> {
  const frame = decodeContactFrame(bytes)
  if (frame.kind !== 'introduction') throw new SkeinError('BAD_FRAME', 'An answer came without an introduction.')
  const card = cardOf(deps, frame.card, channel.peer)
  if (card.list.account === deps.identity.account) return answerOwn(deps, channel, { card, frame })
  const known = deps.book.get(card.list.account)
  if (known?.blocked) return
  const secret = frame.proof.length > 0 ? await admittingSecret(deps, frame, { peer: channel.peer, known }) : null
  const accepted = secret !== null || known?.state === 'accepted' || known?.state === 'pending' || deps.asked.has(channel.peer)
  if (!accepted && known === undefined && deps.book.requestCount() >= MAX_REQUESTS) return
  const contact = await deps.book.putCard(card, frame.card, { state: accepted ? 'accepted' : 'requested' })
  await keepHandover(deps, channel.peer, frame)
  deps.onContact(contact)
  if (!accepted) return
  await deps.asked.forget(channel.peer)
  const proof =
    secret === null ? NONE : inviteProof(deps.primitives, secret, { prover: deps.identity.deviceKey, verifier: deviceKey(channel.peer) })
  const handover = await deps.handovers.forDevice(accountDigest(contact.account), channel.peer)
  await channel.send(encodeContactFrame({ kind: 'answer', card: deps.ownCard().signed, proof, accepted, handover }))
  await deps.book.cardSent(channel.peer, deps.ownCard().issuedAt)
}

/** A device that was taken out is shown the list that says so, and nothing else (DV8). */
async function answerOwn(deps: ContactDeps, channel: Channel, { card, frame }: { card: ContactCard; frame: Introduction }): Promise<void> {
  const accepted = await deps.onOwnCard(card, frame.card)
  if (accepted) await keepHandover(deps, channel.peer, frame)
  const handover = accepted ? await deps.handovers.forDevice(accountDigest(deps.identity.account), channel.peer) : undefined
  await channel.send(encodeContactFrame({ kind: 'answer', card: deps.ownCard().signed, proof: NONE, accepted, handover }))
  if (!accepted) return
  await deps.book.cardSent(channel.peer, deps.ownCard().issuedAt)
  tellOwn(deps)
}

/** More is known of our other devices: what waits for them can go. */
function tellOwn({ book, identity, onContact }: ContactDeps): void {
  const own = book.get(identity.account)
  if (own !== undefined) onContact(own)
}

export async function keepHandover({ book }: ContactDeps, device: DeviceId, { handover }: ContactFrameFields): Promise<void> {
  if (handover !== undefined) await book.handover(device, encodeHandover(handover))
}

/** The secret that makes the peer a contact; null when its invite has admitted as many as it may (IN8). @throws as provenInvite */
async function admittingSecret(
  deps: ContactDeps,
  frame: Introduction,
  { peer, known }: { readonly peer: DeviceId; readonly known: StoredContact | undefined },
): Promise<Uint8Array | null> {
  const invite = await provenInvite(deps, frame, peer)
  return known?.state === 'accepted' || (await deps.admissions.admit(invite)) ? invite.secret : null
}

/** Our invite that the frame proves. @throws SkeinError INVITE_EXPIRED, INVITE_FORGED */
async function provenInvite(deps: ContactDeps, frame: Introduction, peer: DeviceId): Promise<StoredInvite> {
  const invite = (await deps.store.invites()).find(({ secret }) => sameBytes(inviteHash(deps.primitives, secret), frame.inviteHash))
  if (invite === undefined || invite.revoked || invite.expiresAt <= deps.clock.now()) {
    throw new SkeinError('INVITE_EXPIRED', 'An introduction named an invite that is unknown, revoked or expired.')
  }
  const wanted = inviteProof(deps.primitives, invite.secret, { prover: deviceKey(peer), verifier: deps.identity.deviceKey })
  if (!sameBytes(wanted, frame.proof)) throw new SkeinError('INVITE_FORGED', 'An introduction did not prove its invite.')
  return invite
}
