/** One conversation as it is shown: a stretch of history that ends with the newest message and grows backwards. */
import type { ApiClient, ClientEvent, HistoryMessage } from '@skein/node/browser'
import type { ClientModel } from './model.ts'
import { Observable } from './observable.ts'
import { sendOnce } from './send-once.ts'

/** Messages per page: a few screens of any size, and read in some milliseconds. */
export const PAGE = 100

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
  private typingEnds: ReturnType<typeof setTimeout> | undefined
  private toldTyping = 0

  constructor(model: ClientModel, contact: string) {
    super({ messages: [], complete: false, loaded: false, grewBackwards: false, isTyping: false })
    this.model = model
    this.contact = contact
  }

  /** The returned function ends it. */
  open(): () => void {
    let api: ApiClient | undefined
    const look = (): void => {
      if (api === this.model.get().api) return
      api = this.model.get().api
      void this.catchUp().catch(() => undefined)
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
      const { messages } = await api.history({ contact: this.contact, before: first.id, limit })
      const known = this.get().messages
      if (known[0]?.id !== first.id) return
      this.patch({ messages: [...messages, ...known], complete: messages.length < limit, grewBackwards: messages.length > 0 })
    } finally {
      this.loading = false
    }
  }

  /** A text, or what the intent says it is. @throws what the API throws; nothing was sent then, and the intent stands */
  async send(text: string): Promise<void> {
    const api = this.api()
    const { intent } = this.get()
    const reply = intent?.kind === 'reply' ? { reply_to: intent.message.id } : {}
    if (intent?.kind === 'edit') await api.edit({ id: intent.message.id, text })
    else await sendOnce(this.model, { contacts: [this.contact], text, ...reply, wait: 'queued', timeout_ms: 10_000 })
    this.intend(undefined)
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

  /** The newest page, or what has come since; states may have changed while nobody told us. */
  private async catchUp(): Promise<void> {
    const { api } = this.model.get()
    if (api === undefined) return
    const { messages } = await api.history({ contact: this.contact, limit: PAGE })
    const known = this.get().messages
    const [first] = messages
    const at = first === undefined ? -1 : known.findIndex(({ id }) => id === first.id)
    const kept = at > 0 ? known.slice(0, at) : []
    const complete = at > 0 ? this.get().complete : messages.length < PAGE
    this.patch({ messages: [...kept, ...messages], complete, loaded: true, grewBackwards: false })
  }

  /** The conversation was deleted; what is left of it is shown. */
  private async startAnew(): Promise<void> {
    this.patch({ messages: [], complete: true, intent: undefined })
    await this.catchUp()
  }

  private take(all: readonly ClientEvent[]): void {
    const { messages } = this.get()
    const events = all.filter((each) => 'contact' in each && each.contact === this.contact)
    const changed = withEvents(messages, events)
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

/**
 * New messages once each, in the order in which they came to be known (a page that is read anew has the true order), and
 * the states of those that are there. The same list when nothing has changed.
 */
export function withEvents(messages: readonly HistoryMessage[], events: readonly ClientEvent[]): readonly HistoryMessage[] {
  const places = new Map(messages.map(({ id }, at) => [id, at]))
  const changed = [...messages]
  let isChanged = false
  for (const each of events) {
    const at = places.get(idIn(each))
    const known = at === undefined ? undefined : changed[at]
    if (each.event === 'message' && known === undefined) places.set(each.message.id, changed.push(each.message) - 1)
    else if (each.event === 'state' && known !== undefined && at !== undefined)
      changed[at] = { ...known, state: each.state, reason: each.reason }
    else if (each.event === 'changed' && at !== undefined) changed[at] = each.message
    else continue
    isChanged = true
  }
  return isChanged ? changed.filter(({ kind }) => kind !== 'gone') : messages
}

function idIn(event: ClientEvent): string {
  if (event.event === 'message' || event.event === 'changed') return event.message.id
  return event.event === 'state' ? event.id : ''
}
