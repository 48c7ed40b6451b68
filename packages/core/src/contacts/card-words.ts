/** Cards that travel as words inside the session, by whatever carrier: an account has other devices than before (DV9). */
import { isSkeinError, SkeinError, STORE_FAILURES } from '../errors/index.ts'
import type { AccountId } from '../ids.ts'
import { type ContactCard, openContactCard } from '../identity/index.ts'
import { type MainPath, sendControl } from '../main-path/index.ts'
import type { StoredContact } from '../ports/store.ts'
import { decodeContactCard } from '../wire/contact.ts'
import { decodeSigned, type SignedBytes } from '../wire/signed.ts'
import type { ContactDeps } from './contact-deps.ts'
import type { OwnCard } from './own-card.ts'

const MAILBOXES_TOLD = 'mailboxes-told'
const LIST_TOLD = 'list-told'
/** A list of devices is told so often by mail to who was not met since: a mailbox may have lost it (DV9). */
const TOLD_TIMES = 3
/** Between two of them, milliseconds; what a device sends that is in no list yet lies on for three days. */
const TOLD_EVERY_MS = 86_400_000

/**
 * Tells every device of every contact; those that are away find it in their mailbox. Never throws.
 * @param since date of a card: whoever was shown that one, or a later one, is not told
 */
export async function tellOfCard(path: MainPath, card: SignedBytes, since = Number.POSITIVE_INFINITY): Promise<void> {
  const wanted = path.book.all().filter(({ state, blocked }) => state === 'accepted' && !blocked)
  for (const known of wanted.flatMap(({ account }) => path.book.devicesOf(account)))
    if (known.cardSent < since)
      await sendControl(path, known, { control: { kind: 'card', card } }).catch((error: unknown) =>
        path.logger.warn('card-not-sent', { reason: String(error) }),
      )
}

/** Contacts that are never met learn by mail where mail for us is left now. @throws SkeinError DISK_FULL, STORE_CLOSED */
export async function tellOfMailboxes(path: MainPath, { mailboxes, signed }: Pick<OwnCard, 'mailboxes' | 'signed'>): Promise<void> {
  const told = await path.store.setting(MAILBOXES_TOLD)
  const now = JSON.stringify(mailboxes)
  if (told === now) return
  if (told !== null) await tellOfCard(path, signed)
  await path.store.commit([{ kind: 'setting.put', key: MAILBOXES_TOLD, value: now }])
}

/** What was told of another list of devices is told again, day by day. @throws SkeinError DISK_FULL, STORE_CLOSED */
export async function tellAgainOfList(
  path: MainPath,
  { signed, issuedAt }: Pick<OwnCard, 'signed' | 'issuedAt'>,
  version: number,
): Promise<void> {
  const [told, since = issuedAt, times = 0, nextAt = 0] = ((await path.store.setting(LIST_TOLD)) ?? '').split(' ').map(Number)
  const now = path.clock.now()
  const keep = (value: readonly number[]): Promise<unknown> =>
    path.store.commit([{ kind: 'setting.put', key: LIST_TOLD, value: value.join(' ') }])
  // Of the first list a contact learns with the account.
  if (told !== version) await keep([version, issuedAt, version === 1 ? TOLD_TIMES : 0, now + TOLD_EVERY_MS])
  else if (times < TOLD_TIMES && (now >= nextAt || nextAt > now + TOLD_EVERY_MS)) {
    await tellOfCard(path, signed, since)
    await keep([version, since, times + 1, now + TOLD_EVERY_MS])
  }
}

/** A list is known before what there is to encrypt to a new device with. */
function bringsKeys(book: ContactDeps['book'], { bundles }: ContactCard): boolean {
  return bundles.some(({ device }) => book.device(device)?.bundle.length === 0)
}

/** Of the card that is known; 0 where none is. */
function issuedAt({ card }: StoredContact): number {
  return card.length === 0 ? 0 : decodeContactCard(decodeSigned(card).statement).issuedAt
}

/**
 * Takes in the card of a contact whose list is newer than the one that is known, which brings keys, or was issued later. What is wrong with it is logged.
 * @throws SkeinError what the store says, and has nothing to do with the card: another time it may be taken in
 */
export async function takeCard(deps: ContactDeps, account: AccountId, signed: SignedBytes): Promise<void> {
  const { primitives, book, logger, onContact } = deps
  try {
    const card = openContactCard(primitives, signed)
    if (card.list.account !== account) throw new SkeinError('CARD_FORGED', 'A contact sent the card of somebody else.')
    const known = book.get(account)
    if (known === undefined || book.isOwn(account) || card.list.version < known.listVersion) return
    if (card.list.version === known.listVersion && !bringsKeys(book, card) && card.issuedAt <= issuedAt(known)) return
    onContact(await book.putCard(card, signed, {}))
  } catch (error) {
    if (!isSkeinError(error) || STORE_FAILURES.includes(error.code)) throw error
    logger.warn('card-refused', { code: error.code })
  }
}
