/** One conversation as it is shown: a stretch of history that ends with the newest message and grows backwards. */
import type { ApiClient, ClientEvent, HistoryMessage } from '@skein/node/browser'
import { compareMessages } from './message-order.ts'
import type { ClientModel } from './model.ts'
import { Observable } from './observable.ts'
import { refuseTooLarge, sendOnce } from './send-once.ts'

/** Messages per page: a few screens of any size, and read in some milliseconds. */
export const PAGE = 100

/** Where something is told all the time, a page is as new as the last answer. */
const ASKED_AT_MOST = 5

/** Messages that the API gives in one page. */
const MOST_AT_ONCE = 1_000

/** Per page while a message is looked for. */
const SEEK_PAGE = 500
const SEEK_AGAIN_MS = 50

export interface ConversationSnapshot {
  /** Oldest first. */
  readonly messages: readonly HistoryMessage[]
  /** The first message is the first of the conversation. */
  readonly complete: boolean
  readonly loaded: boolean
  /** The last change put messages before the first one. */
  readonly grewBackwards: boolean
  /** What the next text is about: an answer to a message, or another text for one. */
  readonly intent?: Intent | undefined
  /** The other side is writing. */
  readonly isTyping: boolean
  /** Message that is to be brought into view; another object each time somebody wants it. */
  readonly sought?: { readonly id: string } | undefined
}

export interface Intent {
  readonly kind: 'reply' | 'edit'
  readonly message: HistoryMessage
}

/** After so long without another word nobody is typing any more, ms. */
const TYPING_MS = 6_000
/** No more often than this is it told that one types, ms. */
const TELL_TYPING_MS = 3_000

export class Conversation extends Observable<ConversationSnapshot> {
  readonly contact: string
  private readonly model: ClientModel
  private loading = false
  private isClosed = false
  /** Events so far about what is shown. */
  private told = 0
  private typingEnds: ReturnType<typeof setTimeout> | undefined
  private toldTyping = 0

  constructor(model: ClientModel, contact: string) {
    super({ messages: [], complete: false, loaded: false, grewBackwards: false, isTyping: false })
    this.model = model
    this.contact = contact
  }

  /** The returned function ends it. */
  open(): () => void {
    let heard: ClientModel['heard'] | undefined
    const look = (): void => {
      if (heard === this.model.heard) return
      heard = this.model.heard
      void this.readAgain().catch(() => undefined)
    }
    const stops = [this.model.subscribe(look), this.model.onEvents((events) => this.take(events))]
    look()
    this.isClosed = false
    return () => {
      this.isClosed = true
      for (const stop of stops) stop()
    }
  }

  /** Brings a message into view, reading as far back as it takes. */
  async seek(id: string): Promise<void> {
    const isThere = (): boolean => this.get().messages.some((each) => each.id === id)
    while (!isThere() && !this.get().complete) {
      const before = this.get().messages.length
      await this.older(SEEK_PAGE)
      // Another page is being read, or there is nobody to ask.
      if (this.get().messages.length === before && !this.get().complete) await new Promise((resolve) => setTimeout(resolve, SEEK_AGAIN_MS))
      if (this.isClosed) return
    }
    if (isThere()) this.patch({ sought: { id } })
  }

  /** Puts the page before the first message in front. */
  async older(limit = PAGE): Promise<void> {
    const { api } = this.model.get()
    const [first] = this.get().messages
    if (api === undefined || first === undefined || this.loading || this.get().complete) return
    this.loading = true
    try {
      const messages = await this.read({ before: first.id, limit })
      const known = this.get().messages
      if (known[0]?.id !== first.id) return
      this.patch({ messages: [...messages, ...known], complete: messages.length < limit, grewBackwards: messages.length > 0 })
    } finally {
      this.loading = false
    }
  }

  /** A text, or what the intent says it is. @throws what the API throws; nothing was sent then, and the intent stands */
  async send(text: string): Promise<void> {
    refuseTooLarge(text)
    const api = this.api()
    const { intent } = this.get()
    const reply = intent?.kind === 'reply' ? { reply_to: intent.message.id } : {}
    if (intent?.kind === 'edit') await api.edit({ id: intent.message.id, text })
    else await sendOnce(this.model, { contacts: [this.contact], text, ...reply, wait: 'queued', timeout_ms: 10_000 })
    if (this.get().intent === intent) this.intend(undefined)
  }

  /** What the next text is about; undefined for nothing. */
  intend(intent: Intent | undefined): void {
    this.patch({ intent })
  }

  /** The user is writing: the other side may know. */
  types(): void {
    const now = performance.now()
    if (now - this.toldTyping < TELL_TYPING_MS) return
    this.toldTyping = now
    void this.model
      .get()
      .api?.typing({ contact: this.contact, active: true })
      .catch(() => undefined)
  }

  /** An empty emoji takes the reaction back. @throws what the API throws */
  async react(id: string, emoji: string): Promise<void> {
    await this.api().react({ id, emoji })
  }

  /** Takes a message back, for everybody. @throws what the API throws */
  async remove(id: string): Promise<void> {
    await this.api().remove({ id })
  }

  /** Sends a message that failed once more. @throws what the API throws */
  async retry(id: string): Promise<void> {
    await this.api().retry({ id })
  }

  /** What others have signed about a message of ours, as a file holds it. @throws what the API throws */
  async proof(id: string): Promise<unknown> {
    return (await this.api().proof({ id })).proof
  }

  private api(): ApiClient {
    const { api } = this.model.get()
    if (api === undefined) throw Object.assign(new Error('not running'), { code: 'STORE_CLOSED' })
    return api
  }

  /** A page of history. An answer does not have what an event told while it was on its way: it is asked for again then. */
  private async read(page: { readonly before?: string; readonly limit: number }): Promise<readonly HistoryMessage[]> {
    for (let asked = 1; ; asked += 1) {
      const before = this.told
      const { messages } = await this.api().history({ contact: this.contact, ...page })
      if (this.told === before || asked === ASKED_AT_MOST) return messages
    }
  }

  /**
   * As much as is shown, page by page from the newest one on, also where more has come between; at first the newest page. What
   * is shown may have changed, or be gone, while nobody told us.
   */
  private async readAgain(): Promise<void> {
    const limit = Math.min(MOST_AT_ONCE, Math.max(PAGE, this.get().messages.length))
    let messages = await this.read({ limit })
    let complete = messages.length < limit
    const { told } = this
    for (let [oldest] = messages; !complete && oldest !== undefined && isBefore(this.get().messages[0], oldest); [oldest] = messages) {
      const page = await this.read({ limit, before: oldest.id })
      messages = [...page, ...messages]
      complete = page.length < limit
    }
    // What was told meanwhile is not in the pages that were read before it.
    if (this.told !== told) return this.readAgain()
    this.patch({ messages, complete, loaded: true, grewBackwards: isBefore(messages[0], this.get().messages[0]) })
  }

  /** The conversation was deleted; what is left of it is shown. */
  private async startAnew(): Promise<void> {
    this.patch({ messages: [], complete: true, intent: undefined })
    await this.readAgain()
  }

  private take(all: readonly ClientEvent[]): void {
    const { messages } = this.get()
    const events = all.filter((each) => 'contact' in each && each.contact === this.contact)
    this.told += events.filter(({ event }) => event !== 'typing').length
    const changed = withEvents(this.get(), events)
    // Another device of ours had messages that this one did not: they may stand anywhere.
    if (all.some((each) => each.event === 'history' && each.contacts.includes(this.contact))) void this.readAgain().catch(() => undefined)
    for (const each of events) {
      if (each.event === 'typing') this.showTyping(each.active)
      if (each.event === 'cleared') void this.startAnew().catch(() => undefined)
      if (each.event === 'message' && each.message.direction === 'in') this.showTyping(false)
    }
    if (changed !== messages) this.patch({ messages: changed, grewBackwards: false })
  }

  private showTyping(isTyping: boolean): void {
    clearTimeout(this.typingEnds)
    if (isTyping) this.typingEnds = setTimeout(() => this.showTyping(false), TYPING_MS)
    if (this.get().isTyping !== isTyping) this.patch({ isTyping })
  }
}

/** What is shown of a conversation, and whether that is all of it. */
export type Shown = Pick<ConversationSnapshot, 'messages' | 'complete'>

/**
 * New messages once each, at their place, and the states of those that are there. The same list when nothing has changed.
 * What belongs before the first message comes with its page, unless that is the beginning.
 */
export function withEvents({ messages, complete }: Shown, events: readonly ClientEvent[]): readonly HistoryMessage[] {
  const known = new Map(messages.map((each) => [each.id, each]))
  const before = new Map(known)
  for (const each of events) {
    const message = known.get(idIn(each))
    if (each.event === 'message' && message === undefined && (complete || !isBefore(each.message, messages[0])))
      known.set(each.message.id, each.message)
    else if (each.event === 'state' && message !== undefined) known.set(message.id, { ...message, state: each.state, reason: each.reason })
    else if (each.event === 'changed' && message !== undefined) known.set(message.id, each.message)
  }
  if (known.size === before.size && messages.every(({ id }) => known.get(id) === before.get(id))) return messages
  return [...known.values()].filter(({ kind }) => kind !== 'gone').toSorted(compareMessages)
}

function isBefore(message: HistoryMessage | undefined, other: HistoryMessage | undefined): boolean {
  return message !== undefined && other !== undefined && compareMessages(message, other) < 0
}

function idIn(event: ClientEvent): string {
  if (event.event === 'message' || event.event === 'changed') return event.message.id
  return event.event === 'state' ? event.id : ''
}
