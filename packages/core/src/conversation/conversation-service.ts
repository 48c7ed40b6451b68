import { type ClearMark, type ContactBook, countUnread } from '../contacts/index.ts'
import { SkeinError } from '../errors/index.ts'
import type { AccountId } from '../ids.ts'
import { loadAnnotate } from '../dispatch/late-code.ts'
import type { AnnotationBody, MainPath } from '../main-path/index.ts'
import type { MessengerEvent } from '../messenger-ports.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { SearchPage, Store, StoredContact, StoredMessage } from '../ports/store.ts'
import type { Channel, Swarm } from '../ports/swarm.ts'
import type { ClearingDeps } from './clearing.ts'
import { Disappearing } from './disappearing.ts'
import { serveTyping, tellTyping, TYPING_PROTOCOL } from './typing.ts'

export interface ConversationDeps {
  readonly store: Store
  readonly swarm: Swarm
  readonly clock: Clock
  readonly logger: Logger
  readonly book: ContactBook
  /** @throws SkeinError STORE_CLOSED while the messenger does not run */
  path(): MainPath
  emit(event: MessengerEvent): void
  readonly clearing: Omit<ClearingDeps, 'store'>
  /** Our other devices delete it too. */
  tellCleared(account: AccountId, mark: ClearMark): Promise<void>
}

/** What people do with messages that are there: react, edit, take back, search; and what passes by itself. */
export class ConversationService {
  private readonly deps: ConversationDeps
  private readonly disappearing: Disappearing

  constructor(deps: ConversationDeps) {
    this.deps = deps
    this.disappearing = new Disappearing({ ...deps, onGone: (message) => this.tellGone(message) })
  }

  /** Runs until `signal` aborts. */
  start(signal: AbortSignal): void {
    void this.disappearing.run(signal)
    const release = this.deps.swarm.handle(TYPING_PROTOCOL, (channel) => this.serveTyping(channel))
    signal.addEventListener('abort', release, { once: true })
  }

  /** @throws SkeinError as annotate, of main-path */
  async annotate(body: AnnotationBody): Promise<StoredMessage> {
    const { annotate } = await loadAnnotate()
    return annotate(this.deps.path(), body)
  }

  /** @throws SkeinError MESSAGE_UNKNOWN (of `before`) */
  search(query: string, page: SearchPage): Promise<readonly StoredMessage[]> {
    return this.deps.store.search(query, page)
  }

  /** Deletes a conversation on this device and on our other ones; the contact stays, and keeps what they have (MK12). */
  async clear(account: AccountId): Promise<void> {
    const [newest] = await this.deps.store.history(account, { limit: 1 })
    if (newest === undefined) return
    const mark = { hlcMs: newest.hlcMs, hlcCounter: newest.hlcCounter }
    await this.clearUpTo(account, mark)
    await this.deps.tellCleared(account, mark)
  }

  /** As another device of ours says. */
  async clearUpTo(account: AccountId, mark: ClearMark): Promise<void> {
    const { clearConversation } = await import('./clearing.ts')
    await clearConversation({ ...this.deps.clearing, store: this.deps.store }, account, mark)
    this.deps.emit({ kind: 'cleared', account })
  }

  /** Messages are being marked as seen: what disappears after reading begins to. @returns how many are unread then */
  async seen(account: AccountId, marking: Promise<unknown>): Promise<number> {
    await marking
    this.disappearing.look()
    const unread = await countUnread(this.deps.store, account)
    this.deps.emit({ kind: 'seen', account, unread })
    return unread
  }

  /** A message has reached somebody, or time was set: there may be something that disappears sooner. */
  look(): void {
    this.disappearing.look()
  }

  /** Milliseconds from reading until texts of this conversation disappear; null when they stay. */
  disappearAfter(contact: AccountId): Promise<number | null> {
    return this.deps.store.disappearAfter(contact)
  }

  /** Tells the contact's devices that are connected; nothing where none is. */
  async tellTyping({ account, blocked, state }: StoredContact, active: boolean): Promise<void> {
    if (blocked || state !== 'accepted') throw new SkeinError('CONTACT_BLOCKED', 'This contact is not told what you do.')
    const devices = this.deps.book.devicesOf(account)
    await Promise.all(devices.map(({ device }) => tellTyping(this.deps.swarm, device, active)))
  }

  private async serveTyping(channel: Channel): Promise<void> {
    const contact = this.deps.book.ownerOf(channel.peer)
    if (contact?.state !== 'accepted' || contact.blocked) return channel.close()
    await serveTyping(channel, (active) => this.deps.emit({ kind: 'typing', account: contact.account, active }))
  }

  private tellGone(message: StoredMessage): void {
    this.deps.emit({ kind: 'changed', message: { ...message, kind: 'gone', text: '', shared: null } })
  }
}
