/** What the whole interface shows of the client: kept up to date by its events, and by asking where there are none. */
import type { ApiClient, ClientEvent, ConversationView, PeerView, StatusView, Tab } from '@skein/node/browser'
import { compareMessages } from './message-order.ts'
import { Observable } from './observable.ts'

/** Between two questions for what no event tells: relays and paths. Local and cheap. */
const ASK_EVERY_MS = 2_000
/** A client that has not said how it is within this, ms, does not answer; what it said before is no longer so. */
const ANSWER_WITHIN_MS = 5_000
/** Events that come closer than this, ms, are shown together: drawing costs more than a message does. */
const TOGETHER_MS = 50
/** Before an event stream that ended is opened again. */
const AGAIN_AFTER_MS = 500

/** Characters; what is longer is no invite (the API's own limit). */
const MAX_INVITE = 400

export interface ClientSnapshot {
  /** `undefined` while there is nobody to ask: starting, or moving to another tab. */
  readonly api: ApiClient | undefined
  /** `undefined` also where the client does not answer. */
  readonly status: StatusView | undefined
  /** The latest first; `undefined` before they are known. */
  readonly conversations: readonly ConversationView[] | undefined
  readonly peers: readonly PeerView[]
  /** When `api` came, by `performance.now()`. */
  readonly since: number
  /** Whoever runs the client does not answer. */
  readonly silent: boolean
  /** Why the client does not start. */
  readonly failure: unknown
  /** This device was taken out of its account. */
  readonly revoked: boolean
}

const NOTHING: ClientSnapshot = {
  api: undefined,
  status: undefined,
  conversations: undefined,
  peers: [],
  since: 0,
  silent: false,
  failure: undefined,
  revoked: false,
}

export class ClientModel extends Observable<ClientSnapshot> {
  private readonly eventListeners = new Set<(events: readonly ClientEvent[]) => void>()
  private pending: ClientEvent[] = []
  /** Another number each time that events may have been missed: somebody else is asked, or the stream was opened anew. */
  heard = 0
  /** Events so far that changed the list of conversations. */
  private told = 0
  private isHeld = false
  private tab: Tab | undefined
  private following = new AbortController()
  /** When the question that has no answer yet was asked, by `performance.now()`. */
  private askedAt: number | undefined

  constructor() {
    super(NOTHING)
  }

  /** The returned function ends it. */
  follow(tab: Tab): () => void {
    this.tab = tab
    const stop = tab.listen(() => this.onApi())
    const asking = setInterval(() => {
      if (document.visibilityState === 'visible') this.askOn()
    }, ASK_EVERY_MS)
    this.onApi()
    return () => {
      stop()
      clearInterval(asking)
      this.following.abort()
    }
  }

  fail(error: unknown): void {
    if (String(this.get().failure) === String(error)) return
    // For whoever looks into it: the interface says it in a sentence.
    console.error('skein cannot start', error)
    this.patch({ failure: error })
  }

  /** Every event of the client, those that came together in one call. The returned function ends it. */
  onEvents(listener: (events: readonly ClientEvent[]) => void): () => void {
    this.eventListeners.add(listener)
    return () => this.eventListeners.delete(listener)
  }

  /** Reads everything anew. */
  async refresh(): Promise<void> {
    const { api } = this.get()
    if (api === undefined) return
    for (let asked = 1; ; asked += 1) {
      const before = this.told
      const { conversations } = await api.conversations()
      if (this.get().api !== api) return
      // An answer does not have what an event told while it was on its way.
      if (this.told !== before && asked < ASKED_AT_MOST) continue
      this.patch({ conversations })
      break
    }
    await this.ask()
  }

  /** Adds by an invite: resolves as soon as the contact is known here, even if getting in touch takes longer. */
  async add(invite: string, name = ''): Promise<string> {
    const { api, conversations } = this.get()
    if (api === undefined) throw Object.assign(new Error('not running'), { code: 'STORE_CLOSED' })
    const text = invite.trim()
    if (text === '' || text.length > MAX_INVITE) throw Object.assign(new Error('this is no invite'), { code: 'INVITE_NOT_ONE' })
    const before = conversations?.map(({ contact }) => contact)
    const known = Promise.withResolvers<string>()
    const stop = this.onEvents((events) => {
      // Who asks for contact just now, or has accepted an invite of ours, is not the one who was added.
      const added = events.find((each) => each.event === 'contact' && each.state === 'pending' && before?.includes(each.contact) === false)
      if (added?.event === 'contact') known.resolve(added.contact)
    })
    try {
      const added = api.add({ invite: text, ...(name.trim() === '' ? {} : { name: name.trim() }) })
      const contact = await Promise.race([added.then((answer) => answer.contact), known.promise])
      await this.refresh()
      return contact
    } finally {
      stop()
    }
  }

  private onApi(): void {
    const { api, silent = false } = this.tab ?? {}
    if (silent !== this.get().silent) this.patch({ silent })
    if (api === this.get().api) return
    if (api === undefined) this.doubt()
    this.askedAt = undefined
    this.following.abort()
    this.following = new AbortController()
    this.heard += 1
    this.patch({ api, since: performance.now(), ...(api === undefined ? {} : { failure: undefined }) })
    if (api !== undefined) void this.listenTo(api, this.following.signal)
  }

  /** Opens the stream before it reads, so that nothing falls between. */
  private async listenTo(api: ApiClient, signal: AbortSignal): Promise<void> {
    let opened = 0
    while (!signal.aborted) {
      try {
        const events = await api.events(undefined, { signal })
        // Where the client is this page's own, it listens from the first question for an event on, and not sooner.
        const first = events.next()
        first.catch(() => undefined)
        if (opened > 0) this.heard += 1
        opened += 1
        await this.refresh()
        await this.askDevices(api)
        for (let each = await first; !each.done; each = await events.next()) this.take(each.value)
      } catch {
        // The leader has gone, or the stream was too slow: it is opened anew.
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS))
    }
  }

  /** What an event told long ago. */
  private async askDevices(api: ApiClient): Promise<void> {
    const answer = await api.devices().catch(() => undefined)
    if (answer !== undefined && this.get().api === api) this.patch({ revoked: answer.revoked })
  }

  /** One question at a time: who does not answer one will not answer many. */
  private askOn(): void {
    if (this.askedAt === undefined) void this.ask()
    else if (performance.now() - this.askedAt > ANSWER_WITHIN_MS) this.doubt({ silent: true })
  }

  /** Nobody says how it is now: what was said before is no longer so. */
  private doubt(change: Partial<ClientSnapshot> = {}): void {
    const conversations = this.get().conversations?.map((each) => (each.online ? { ...each, online: false } : each))
    this.patch({ ...change, status: undefined, peers: [], conversations })
  }

  private async ask(): Promise<void> {
    const { api } = this.get()
    if (api === undefined) return
    this.askedAt = performance.now()
    const answers = await Promise.all([api.status(), api.peers()]).catch(() => undefined)
    if (this.get().api !== api) return
    this.askedAt = undefined
    if (answers === undefined) return
    const [status, { peers }] = answers
    const { silent } = this.get()
    this.patch({ status, peers, silent: false })
    if (silent) void this.refresh().catch(() => undefined)
  }

  /** The first event is shown at once, those that follow closely together. */
  private take(event: ClientEvent): void {
    this.pending.push(event)
    if (this.isHeld) return
    this.isHeld = true
    setTimeout(() => {
      this.isHeld = false
      if (this.pending.length > 0) this.show()
    }, TOGETHER_MS)
    this.show()
  }

  private show(): void {
    const events = this.pending.splice(0)
    this.told += events.filter(({ event }) => !ABOUT_NO_LIST.includes(event)).length
    for (const each of events) if (each.event === 'devices') this.patch({ revoked: each.revoked })
    const { conversations } = this.get()
    const changed = events.reduce<typeof conversations>(
      (all, each) => (all === undefined ? undefined : applyEvent(all, each)),
      conversations,
    )
    if (changed === undefined) void this.refresh().catch(() => undefined)
    else if (changed !== conversations) this.patch({ conversations: changed })
    for (const each of [...this.eventListeners]) tell(each, events)
  }
}

/** What changes no list of conversations. */
const ABOUT_NO_LIST: readonly ClientEvent['event'][] = ['typing', 'transfer', 'devices', 'presence']
/** Where something is told all the time, the list is as new as the last answer. */
const ASKED_AT_MOST = 5

/** One that fails takes nothing from the others. */
function tell(listener: (events: readonly ClientEvent[]) => void, events: readonly ClientEvent[]): void {
  try {
    listener(events)
  } catch (error) {
    reportError(error)
  }
}

/** The list after `event`; `undefined` when only asking tells. */
export function applyEvent(all: readonly ConversationView[], event: ClientEvent): readonly ConversationView[] | undefined {
  if (event.event === 'contact' || event.event === 'keys' || event.event === 'history' || event.event === 'cleared') return undefined
  if (event.event === 'devices') return all
  const known = all.find(({ contact }) => contact === event.contact)
  if (known === undefined) return event.event === 'message' ? undefined : all
  const put = (change: Partial<ConversationView>): readonly ConversationView[] =>
    all.map((each) => (each === known ? { ...each, ...change } : each))
  switch (event.event) {
    case 'message': {
      // The list was asked for when it had come already.
      if (known.last?.id === event.message.id) return put({ last: event.message })
      const unread = known.unread + (event.message.direction === 'in' ? 1 : 0)
      // What comes late is none the later for it: the list keeps its order, and the conversation its last line.
      if (known.last !== null && compareMessages(event.message, known.last) < 0) return put({ unread })
      return [{ ...known, unread, last: event.message }, ...all.filter((each) => each !== known)]
    }
    case 'state':
      return known.last?.id === event.id ? put({ last: { ...known.last, state: event.state } }) : all
    case 'changed':
      if (known.last?.id !== event.message.id) return all
      return event.message.kind === 'gone' ? undefined : put({ last: event.message })
    case 'transfer':
    case 'typing':
      return all
    case 'seen':
      return put({ unread: event.unread })
    case 'presence':
      return undefined
  }
}
