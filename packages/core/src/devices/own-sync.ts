/**
 * What one device of the account has and another lacks (DV10 to DV14): copies of what was sent, contacts, what was seen, and
 * history. All of it goes as words inside the session of the two devices, over whatever carrier reaches the other one.
 */
import { concat } from '../e2ee/key-derivation.ts'
import { inBackground } from '../in-background.ts'
import type { AccountId, DeviceId } from '../ids.ts'
import { type ClearMark, MAX_UNREAD, reaches } from '../contacts/index.ts'
import { type ControlEffect, copiedWrites, type MainPath, sendOwnWord } from '../main-path/index.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { JournalPosition, Store, StoredContact, StoredDevice, StoredMessage } from '../ports/store.ts'
import { decodeOwnWord, type HistoryPageFields, type OwnContactFields, type OwnWordFields } from '../wire/devices.ts'
import { MAX_HISTORY_PAGE, MAX_OWN_CONTACTS } from '../wire/limits.ts'
import { ContactWords, type ContactWordsDeps } from './contact-words.ts'
import type { DeviceNames } from './names.ts'
import { type SeenElsewhere, SeenWords } from './seen-words.ts'

/** A page of history, encoded, in bytes: with its envelope it fits one frame. */
const PAGE_BYTES = 40_000
/** Delivery tags of one device, with its key: up to 64 of 16 bytes. */
const TAGS_BYTES = 1_100
/** Another device is asked again after so long, as long as both run: what was lost on the way is noticed then. */
const ASK_EVERY_MS = 600_000
/** An unanswered question is asked again, not sooner than this, when the other device shows itself. */
const ASK_AGAIN_MS = 30_000

export interface OwnSyncDeps extends ContactWordsDeps {
  readonly store: Store
  readonly primitives: Primitives
  readonly names: DeviceNames
  readonly deviceName: string
  path(): MainPath
  /** What another device has decided about a contact has been taken over. */
  onContact(contact: StoredContact): void
  /** The user has seen messages on another device. */
  onSeen(account: AccountId, seen: SeenElsewhere): Promise<void>
  /** History that another device had has come. */
  onHistory(accounts: readonly AccountId[]): void
}

export class OwnSync {
  private readonly deps: OwnSyncDeps
  private readonly contacts: ContactWords
  private readonly seenWords: SeenWords
  private readonly asked = new Map<DeviceId, number>()
  /** Up to where in our journal another device has everything. */
  private readonly has = new Map<DeviceId, number>()
  private last: Promise<unknown> = Promise.resolve()

  constructor(deps: OwnSyncDeps) {
    this.deps = deps
    this.contacts = new ContactWords(deps)
    this.seenWords = new SeenWords(deps)
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.contacts.load()
    inBackground(this.deps.logger, 'own-word-not-sent', this.askOften(signal))
  }

  /** An own device has appeared, or is new. */
  appeared(known: StoredDevice): void {
    const { clock } = this.deps.path()
    const since = clock.monotonic() - (this.asked.get(known.device) ?? Number.NEGATIVE_INFINITY)
    if (since >= ASK_AGAIN_MS) inBackground(this.deps.logger, 'own-word-not-sent', this.ask(known))
  }

  /** A contact may have changed here. */
  async contactChanged(contact: StoredContact): Promise<void> {
    await this.inTurn(async () => {
      const word = await this.contacts.note(contact)
      if (word !== undefined) await this.tellAll({ kind: 'contacts', contacts: [word] })
    })
  }

  /** The user has seen messages here, all up to one. */
  async seen(account: AccountId, { ids, upTo: message }: SeenElsewhere): Promise<void> {
    for (let from = 0; from < ids.length; from += MAX_UNREAD) {
      const seen = ids.slice(from, from + MAX_UNREAD)
      await this.tellAll({ kind: 'seen', seen: { account, message, seen, unseen: [] } })
    }
  }

  /** A message has come, or is new here by another device. */
  arrived(message: StoredMessage): void {
    void this.inTurn(() => this.seenWords.arrived(message))
  }

  /** A conversation was deleted here. */
  async cleared(account: AccountId, mark: ClearMark): Promise<void> {
    await this.inTurn(async () => {
      const word = this.contacts.noteCleared(account, mark)
      if (word !== undefined) await this.tellAll({ kind: 'contacts', contacts: [word] })
    })
  }

  /** What another own device says, encoded. @throws SkeinError BAD_FRAME */
  onWord(known: StoredDevice, own: Uint8Array): ControlEffect {
    const word = decodeOwnWord(own)
    switch (word.kind) {
      case 'copy':
        return copiedWrites(this.deps.path(), known.device, word)
      case 'contacts':
        return this.later(() => this.takeContacts(word.contacts))
      case 'seen':
        return this.later(() => this.seenWords.take(word.seen))
      case 'wanted':
        return this.later(() => this.answer(known, word))
      case 'page':
        return this.takePage(known, word.page)
      case 'unknown':
        return { writes: [], committed: () => undefined }
    }
  }

  /** After the commit, one after the other: what is lost by a crash in between is found by asking again. */
  private later(work: () => Promise<unknown>): ControlEffect {
    return { writes: [], committed: () => void this.inTurn(work) }
  }

  private inTurn(work: () => Promise<unknown>): Promise<unknown> {
    const { logger } = this.deps
    this.last = this.last.then(work).catch((error: unknown) => logger.warn('own-word-failed', { reason: String(error) }))
    return this.last
  }

  private async tellAll(word: OwnWordFields): Promise<void> {
    for (const device of this.deps.book.ownDevices()) await this.tell(device, word)
  }

  /** @returns whether it is on its way */
  private async tell(device: StoredDevice, word: OwnWordFields): Promise<boolean> {
    const { logger, path } = this.deps
    try {
      return await sendOwnWord(path(), device, word)
    } catch (error) {
      logger.warn('own-word-not-sent', { reason: String(error) })
      return false
    }
  }

  private async askOften(signal: AbortSignal): Promise<void> {
    const { book, path } = this.deps
    do {
      for (const device of book.ownDevices())
        await this.ask(device).catch((error: unknown) => this.deps.logger.warn('own-word-not-sent', { reason: String(error) }))
    } while (await path().clock.sleep(ASK_EVERY_MS, { signal }))
  }

  /** Asks for what came behind the last answer; not while something waits for a device that is away. */
  private async ask(known: StoredDevice): Promise<void> {
    const { device } = known
    const { store, swarm, clock } = this.deps.path()
    if (!swarm.isConnected(device) && (await store.outbox(device, 0, 1)).length > 0) return
    this.asked.set(device, clock.monotonic())
    const after = await this.cursor(device)
    const wanted = { kind: 'wanted', after, contactsDigest: await this.digest(), name: this.deps.deviceName } as const
    if (!(await this.tell(known, wanted))) this.asked.delete(device)
  }

  private async cursor(device: DeviceId): Promise<JournalPosition> {
    const kept = await this.deps.store.setting(cursorKey(device))
    return kept === null ? { messages: 0, annotations: 0 } : (JSON.parse(kept) as JournalPosition)
  }

  private async digest(): Promise<Uint8Array> {
    const contacts = this.contacts.all().map(digestLine)
    return this.deps.primitives.sha256(concat(new TextEncoder().encode(contacts.join()), await this.seenWords.digestInput()))
  }

  private async answer(known: StoredDevice, { after, contactsDigest, name }: Extract<OwnWordFields, { kind: 'wanted' }>): Promise<void> {
    this.has.set(known.device, after.messages)
    await this.deps.names.put(known.device, name)
    const page = await this.page(after)
    const isSame = (await this.digest()).every((byte, at) => contactsDigest[at] === byte)
    if (page.more || isSame) return void (await this.tell(known, { kind: 'page', page }))
    for (const contacts of chunked(this.contacts.all())) await this.tell(known, { kind: 'contacts', contacts })
    await this.tell(known, { kind: 'page', page: { ...page, seen: await this.seenWords.all() } })
  }

  /** As much behind `asked` as goes into one frame. */
  private async page(asked: JournalPosition): Promise<HistoryPageFields> {
    const { store } = this.deps.path()
    const found = await store.journal(asked, MAX_HISTORY_PAGE)
    // A database that was put back has less than the other side saw of it.
    const isPast = asked.messages > found.last.messages || asked.annotations > found.last.annotations
    const after = isPast ? { messages: 0, annotations: 0 } : asked
    const { messages, annotations } = isPast ? await store.journal(after, MAX_HISTORY_PAGE) : found
    const taken = fitting(messages, annotations)
    const isWhole = taken.messages.length === messages.length && taken.annotations.length === annotations.length
    const isLast = messages.length < MAX_HISTORY_PAGE && annotations.length < MAX_HISTORY_PAGE
    return {
      after: asked,
      next: { messages: lastOf(taken.messages, after.messages), annotations: lastOf(taken.annotations, after.annotations) },
      more: !isWhole || !isLast,
      messages: taken.messages.map(({ message }) => message),
      annotations: taken.annotations.map(({ annotation }) => annotation),
      contacts: [],
      seen: [],
      name: this.deps.deviceName,
    }
  }

  /** Messages and where to go on are durable together: a transfer that breaks off goes on where it was. */
  private takePage(known: StoredDevice, page: HistoryPageFields): ControlEffect {
    const { device } = known
    const { book } = this.deps
    const foreign = page.messages.filter(({ contact }) => !book.isOwn(contact))
    const said = page.annotations.filter((each) => !reaches(this.contacts.clearedUpTo(each.contact), each))
    return {
      writes: [
        ...foreign.map((message) => ({ kind: 'message.insert', message: this.withoutCleared(message) }) as const),
        ...said.map((annotation) => ({ kind: 'annotation.put', annotation }) as const),
        { kind: 'setting.put', key: cursorKey(device), value: JSON.stringify(page.next) },
      ],
      committed: () => void this.inTurn(() => this.afterPage(known, page)),
    }
  }

  /** What the user has deleted here comes back as an id alone (DV14); timers count on. */
  private withoutCleared(message: StoredMessage): StoredMessage {
    const isCleared = message.kind !== 'timer' && reaches(this.contacts.clearedUpTo(message.contact), message)
    return isCleared ? { ...message, kind: 'gone', text: '', shared: null, replyTo: null, disappearAt: null, seen: true } : message
  }

  private async afterPage(known: StoredDevice, page: HistoryPageFields): Promise<void> {
    await this.deps.names.put(known.device, page.name)
    for (const message of page.messages) await this.seenWords.arrived(message)
    for (const mark of page.seen) await this.seenWords.takeMark(mark, this.has.get(known.device) ?? 0)
    const accounts = new Set([...page.messages, ...page.annotations].map(({ contact }) => contact))
    if (accounts.size > 0) this.deps.onHistory([...accounts])
    if (page.more) await this.ask(known)
    else this.asked.delete(known.device)
  }

  private async takeContacts(contacts: readonly OwnContactFields[]): Promise<void> {
    for (const word of contacts) {
      const contact = await this.contacts.take(word)
      if (contact !== undefined) this.deps.onContact(contact)
    }
  }
}

/** Contacts whose conversation was never deleted stand there as in versions that could not delete one. */
function digestLine({ account, stamp, cleared }: OwnContactFields): string {
  return cleared.hlcMs === 0 ? `${account} ${stamp}` : `${account} ${stamp} ${cleared.hlcMs}.${cleared.hlcCounter}`
}

const cursorKey = (device: DeviceId): string => `own-history ${device}`

function lastOf(taken: readonly { readonly position: number }[], before: number): number {
  return taken.at(-1)?.position ?? before
}

type Entry = { readonly position: number; readonly message: StoredMessage }

/** From the front of both lists, as much as PAGE_BYTES hold; at least one. */
function fitting<A extends { readonly position: number; readonly annotation: { readonly value: string } }>(
  messages: readonly Entry[],
  annotations: readonly A[],
): { readonly messages: readonly Entry[]; readonly annotations: readonly A[] } {
  let room = PAGE_BYTES
  const fits = (bytes: number): boolean => {
    const isFirst = room === PAGE_BYTES
    room -= bytes
    return isFirst || room >= 0
  }
  // UTF-8 takes at most three bytes for each unit of a text; 220 bytes hold the rest.
  const end = messages.findIndex(({ message }) => !fits(220 + 3 * message.text.length))
  const taken = end < 0 ? messages : messages.slice(0, end)
  if (end >= 0) return { messages: taken, annotations: [] }
  const stop = annotations.findIndex(({ annotation }) => !fits(180 + 3 * annotation.value.length))
  return { messages: taken, annotations: stop < 0 ? annotations : annotations.slice(0, stop) }
}

/** Words of contacts that each fit one frame. */
function chunked(contacts: readonly OwnContactFields[]): readonly (readonly OwnContactFields[])[] {
  const chunks: OwnContactFields[][] = [[]]
  for (const contact of contacts) {
    const chunk = chunks.at(-1) ?? []
    const isFull = chunk.length >= MAX_OWN_CONTACTS || sizeOf([...chunk, contact]) > PAGE_BYTES
    if (isFull && chunk.length > 0) chunks.push([contact])
    else chunk.push(contact)
  }
  return chunks.filter((chunk) => chunk.length > 0)
}

function sizeOf(contacts: readonly OwnContactFields[]): number {
  return contacts.reduce((sum, { card, petname, tags }) => sum + 200 + card.length + 3 * petname.length + TAGS_BYTES * tags.length, 0)
}
