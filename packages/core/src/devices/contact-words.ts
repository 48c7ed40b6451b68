/** What the user decides about contacts, the same on all own devices: the later decision counts (DV11). */
import { isSkeinError } from '../errors/index.ts'
import type { AccountId } from '../ids.ts'
import { type ClearMark, clearMark, type ContactBook, NEVER_CLEARED, reaches } from '../contacts/index.ts'
import { type ContactCard, openAccountRecord, openContactCard } from '../identity/index.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Store, StoredContact } from '../ports/store.ts'
import type { OwnContactFields } from '../wire/devices.ts'
import { decodeHandover } from '../wire/handover.ts'
import { decodeSigned, type SignedBytes } from '../wire/signed.ts'

export interface ContactWordsDeps {
  readonly store: Pick<Store, 'setting' | 'commit'>
  readonly book: ContactBook
  readonly clock: Pick<Clock, 'now'>
  readonly primitives: Primitives
  readonly logger: Logger
  /** A conversation was deleted on another device. */
  onCleared(account: AccountId, mark: ClearMark): Promise<void>
}

interface Known {
  /** When the user decided last, milliseconds since 1970. */
  readonly stamp: number
  readonly said: string
}

/** Of what was decided before the account had a second device. That somebody asks is no decision, and older than any. */
function firstStamp({ state }: Pick<StoredContact, 'state'>): number {
  return state === 'requested' ? 0 : 1
}

const STATES: readonly StoredContact['state'][] = ['pending', 'requested', 'accepted']
const settingOf = (account: AccountId): string => `own-contact ${account}`

export class ContactWords {
  private readonly deps: ContactWordsDeps
  private readonly known = new Map<AccountId, Known>()
  private readonly cleared = new Map<AccountId, ClearMark>()

  constructor(deps: ContactWordsDeps) {
    this.deps = deps
  }

  async load(): Promise<void> {
    for (const contact of this.deps.book.all()) {
      const stamp = Number((await this.deps.store.setting(settingOf(contact.account))) ?? firstStamp(contact))
      this.known.set(contact.account, { stamp, said: saying(contact) })
      this.cleared.set(contact.account, await clearMark(this.deps.store, contact.account))
    }
  }

  /** A contact may have changed. @returns what the other devices are to be told, if it has */
  async note(contact: StoredContact): Promise<OwnContactFields | undefined> {
    const { clock } = this.deps
    const before = this.known.get(contact.account)
    const said = saying(contact)
    if (before?.said === said) return undefined
    if (before === undefined && contact.state === 'requested')
      return void (await this.keep(contact.account, { said, stamp: firstStamp(contact) }))
    await this.keep(contact.account, { said, stamp: Math.max(clock.now(), (before?.stamp ?? 0) + 1) })
    return contact.state === 'pending' ? undefined : this.wordOf(contact)
  }

  /** A conversation was deleted here. @returns what the other devices are to be told */
  noteCleared(account: AccountId, mark: ClearMark): OwnContactFields | undefined {
    this.cleared.set(account, mark)
    const contact = this.deps.book.get(account)
    return contact === undefined ? undefined : this.wordOf(contact)
  }

  /** Up to where the user has deleted a conversation. */
  clearedUpTo(account: AccountId): ClearMark {
    return this.cleared.get(account) ?? NEVER_CLEARED
  }

  /** What all own devices ought to know. A contact who has not answered yet is nobody's matter but this device's. */
  all(): readonly OwnContactFields[] {
    const settled = this.deps.book.all().filter(({ state }) => state !== 'pending')
    return settled.map((contact) => this.wordOf(contact)).sort((a, b) => (a.account < b.account ? -1 : 1))
  }

  /** Takes in what another device says. @returns the contact as it is now, if that has changed */
  async take(word: OwnContactFields): Promise<StoredContact | undefined> {
    const { book } = this.deps
    const { account, stamp } = word
    const before = book.get(account)
    if (!book.isOwn(account)) await this.takeCleared(word)
    if (!book.isOwn(account)) await this.takeTags(word)
    if (book.isOwn(account) || (before !== undefined && stamp <= (this.known.get(account)?.stamp ?? firstStamp(before)))) return undefined
    await this.takeCard(word)
    await this.takeTags(word)
    if (book.get(account) === undefined) return undefined
    const { petname, trust, blocked, muted } = word
    // Whoever is accepted stays so.
    const state =
      STATES.indexOf(word.state) > STATES.indexOf(book.get(account)?.state ?? 'pending')
        ? word.state
        : (book.get(account)?.state ?? word.state)
    const contact = await book.change(account, { petname, state, trust, blocked, muted })
    await this.keep(account, { stamp, said: saying(contact) })
    return contact
  }

  private async takeCleared({ account, cleared }: OwnContactFields): Promise<void> {
    if (reaches(this.clearedUpTo(account), cleared)) return
    await this.deps.onCleared(account, cleared)
    this.cleared.set(account, cleared)
  }

  /** Where mail for a contact can be left is known to who has met it; a device of ours that never has may use the same tags. */
  private async takeTags({ account, tags }: OwnContactFields): Promise<void> {
    const { book, clock } = this.deps
    for (const { device, handover } of tags)
      if (book.device(device)?.account === account) await book.takeTags(device, handover, clock.now())
  }

  private tagsFor(account: AccountId): OwnContactFields['tags'] {
    return this.deps.book.devicesOf(account).flatMap(({ device, handover }) => {
      const held = decodeHandover(handover)
      return held === undefined ? [] : [{ device, handover: held }]
    })
  }

  private async takeCard({ account, card, petname, state }: OwnContactFields): Promise<void> {
    const { book, logger } = this.deps
    if (card.length === 0) return
    try {
      const signed = decodeSigned(card)
      const opened = this.opened(signed)
      const known = book.get(account)
      if (opened.list.account === account) await book.putCard(opened, signed, known === undefined ? { petname, state } : {})
    } catch (error) {
      // The card that is known may be newer: what the user decided counts all the same.
      logger.debug('card-of-own-device-not-taken', { code: isSkeinError(error) ? error.code : 'unknown' })
    }
  }

  private opened(signed: SignedBytes): ContactCard {
    const { primitives } = this.deps
    try {
      return openContactCard(primitives, signed)
    } catch (error) {
      if (!isSkeinError(error, 'BAD_SIGNATURE')) throw error
      // Of somebody who was found by account id, a record stands in for the card.
      return { ...openAccountRecord(primitives, signed), name: '', mailboxes: [], bundles: [] }
    }
  }

  private wordOf({ account, card, petname, state, trust, blocked, muted }: StoredContact): OwnContactFields {
    const stamp = this.known.get(account)?.stamp ?? firstStamp({ state })
    const [cleared, tags] = [this.clearedUpTo(account), this.tagsFor(account)]
    return { account, card, petname, state, trust, blocked, muted, stamp, cleared, tags }
  }

  private async keep(account: AccountId, known: Known): Promise<void> {
    this.known.set(account, known)
    await this.deps.store.commit([{ kind: 'setting.put', key: settingOf(account), value: String(known.stamp) }])
  }
}

function saying({ petname, state, trust, blocked, muted }: StoredContact): string {
  return JSON.stringify([petname, state, trust, blocked, muted])
}
