/** Many tabs, one client: one tab runs it, the others reach it through that tab, and one of them takes over when it goes. */
import { createRouterClient } from '@orpc/server'
import type { ApiClient } from '../api/api-client.ts'
import { router } from '../api/router.ts'
import type { Client } from '../assemble.ts'
import { type ExclusiveDeps, exclusively, type Turn } from './exclusive.ts'

/** Before a turn that failed or was lost is taken again, ms. */
const AGAIN_AFTER_MS = 1_000
/** Between two questions to the leader, ms, in a tab that is looked at. */
const ASK_EVERY_MS = 1_500
/** Questions without an answer after which the leader is taken to stand still. */
const MOST_UNANSWERED = 3

export interface RunningTabClient extends Client {
  /** Resolves when the client wants to be started anew, with other settings. */
  readonly restartRequested: Promise<void>
  stop(): Promise<void>
  /** At once, without a wait: whatever others need to go on is let go of. */
  abandon(): void
}

export interface TabDeps extends ExclusiveDeps {
  /** Starts the client, in the tab whose turn it is. */
  start(): Promise<RunningTabClient>
  /** The client could not be started, or not be reached any more. */
  onFailure(error: unknown): void
  /** Whether somebody may be looking at this tab. */
  isVisible(): boolean
}

export interface Tab {
  /** The API as it can be reached now; `undefined` while nobody leads. */
  readonly api: ApiClient | undefined
  readonly leads: boolean
  /** Whoever leads does not answer: its tab hangs, or the browser has frozen it. */
  readonly silent: boolean
  /** Told when `api` or `silent` has become another one. The returned function ends it. */
  listen(listener: () => void): () => void
  /** Gives up the turn, if it has it. Idempotent. */
  close(): Promise<void>
}

/** A tab as its page handles it. */
export interface PageTab extends Tab {
  /** At once, without a wait: the page is about to stand still, or to go. Another tab takes the turn, if this one has it. */
  rest(): void
  /** The page goes on. @returns false when it has to be loaded anew, as it had the turn */
  wake(): boolean
}

type Word =
  /** A follower wants to reach the leader over a channel, or to hear that it still does. */
  | { readonly kind: 'reach'; readonly over: string }
  /** `fresh`: from now on. */
  | { readonly kind: 'reached'; readonly over: string; readonly leader: string; readonly fresh: boolean }
  /** Whoever has the turn is not ready. */
  | { readonly kind: 'wait' }
  /** There is a new leader. */
  | { readonly kind: 'leader' }
  /** The leader goes; another will come. One that was frozen says it long after another has come. */
  | { readonly kind: 'gone'; readonly leader: string }
  /** A follower needs its channel no more. */
  | { readonly kind: 'left'; readonly channel: string }

/** @param name of the identity within the origin */
export function openTab(name: string, deps: TabDeps): PageTab {
  return new SharedTab(name, deps)
}

class SharedTab implements PageTab {
  api: ApiClient | undefined
  leads = false
  silent = false
  private readonly name: string
  private readonly deps: TabDeps
  private readonly id: string
  private readonly words: BroadcastChannel
  private readonly listeners = new Set<() => void>()
  private readonly closing = new AbortController()
  /** Channels of this tab's own followers, or its one to the leader, by their names. */
  private readonly channels = new Map<string, BroadcastChannel>()
  private readonly done: Promise<void>
  /** What was asked for last. */
  private wanted = ''
  /** Whom this tab reaches. */
  private leader: string | undefined
  private unanswered = 0
  private serving: RunningTabClient | undefined
  private hasTurn = false
  /** Ends the turn before its work has ended. */
  private yieldTurn: () => void = () => undefined
  private waiting = new AbortController()
  private resting: PromiseWithResolvers<void> | undefined

  constructor(name: string, deps: TabDeps) {
    this.name = name
    this.deps = deps
    this.id = this.makeId()
    this.words = new BroadcastChannel(`skein-${name}-words`)
    this.words.addEventListener('message', ({ data }: MessageEvent<Word>) => this.onWord(data))
    this.reach()
    this.done = this.lead()
    void this.keepAsking()
  }

  listen(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  async close(): Promise<void> {
    this.closing.abort()
    this.resting?.resolve()
    await this.done
    this.cut()
    this.words.close()
  }

  rest(): void {
    if (this.hasTurn) {
      this.words.postMessage({ kind: 'gone', leader: this.id })
      this.serving?.abandon()
      this.yieldTurn()
      this.closing.abort()
    } else {
      // Whoever waits for the turn while it stands still would get it, and do nothing with it.
      this.resting ??= Promise.withResolvers()
      this.waiting.abort()
      this.cut()
    }
  }

  wake(): boolean {
    this.resting?.resolve()
    this.resting = undefined
    if (this.closing.signal.aborted) return false
    if (!this.hasTurn) this.lose()
    return true
  }

  /** Takes this tab's turn whenever it comes; one that fails is tried again. */
  private async lead(): Promise<void> {
    const { signal } = this.closing
    do {
      await this.resting?.promise
      this.waiting = new AbortController()
      const deps = { ...this.deps, signal: AbortSignal.any([signal, this.waiting.signal]) }
      await exclusively(`skein-${this.name}`, (turn) => this.take(turn), deps).catch((error: unknown) => this.deps.onFailure(error))
    } while (await this.deps.clock.sleep(AGAIN_AFTER_MS, { signal }))
  }

  private async take({ lost }: Turn): Promise<void> {
    const { signal } = this.closing
    const yielded = Promise.withResolvers<void>()
    this.yieldTurn = yielded.resolve
    this.hasTurn = true
    try {
      await Promise.race([this.serve(AbortSignal.any([lost, signal])), yielded.promise])
    } finally {
      this.hasTurn = false
      // Somebody else may lead already.
      if (!signal.aborted) this.reach()
    }
  }

  /** This tab's turn, until `over`; a client that wants to be started anew is. */
  private async serve(over: AbortSignal): Promise<void> {
    do await this.serveOne(over)
    while (!over.aborted)
  }

  private async serveOne(over: AbortSignal): Promise<void> {
    // Whoever led is no longer there: what was heard of it is not what is so now.
    this.lose()
    const client = await this.deps.start()
    try {
      this.cut()
      this.leads = true
      this.serving = client
      this.change(createRouterClient(router, { context: { client } }))
      this.words.postMessage({ kind: 'leader' })
      const ended = new Promise<void>((resolve) =>
        over.aborted ? resolve() : over.addEventListener('abort', () => resolve(), { once: true }),
      )
      await Promise.race([ended, client.restartRequested])
    } finally {
      this.leads = false
      this.serving = undefined
      this.words.postMessage({ kind: 'gone', leader: this.id })
      this.lose()
      await client.stop()
    }
  }

  private lose(): void {
    this.cut()
    this.change(undefined)
    if (!this.hasTurn) this.reach()
  }

  private onWord(word: Word): void {
    if (this.hasTurn) this.onFollower(word)
    else this.onLeader(word)
  }

  private onFollower(word: Word): void {
    if (word.kind === 'left') this.shut(word.channel)
    if (word.kind !== 'reach') return
    if (this.serving === undefined) this.words.postMessage({ kind: 'wait' })
    else this.during(this.admit(word.over, this.serving))
  }

  private onLeader(word: Word): void {
    if (word.kind === 'leader') {
      this.leader = undefined
      this.reach()
    }
    if (word.kind === 'gone' && word.leader === this.leader) this.lose()
    if (word.kind === 'wait' || (word.kind === 'reached' && word.over === this.wanted)) this.hear()
    if (word.kind !== 'reached' || word.over !== this.wanted) return
    // Another one than this tab reaches was frozen while that one took over, and will hear of it.
    if (this.leader === undefined || (this.leader === word.leader && word.fresh)) this.during(this.attach(word.over, word.leader))
  }

  private during(work: Promise<void>): void {
    work.catch((error: unknown) => this.deps.onFailure(error))
  }

  private async admit(over: string, client: Client): Promise<void> {
    const { serveOver } = await import('./link.ts')
    if (this.serving !== client) return
    const name = `${over}-${this.id}`
    const fresh = !this.channels.has(name)
    if (fresh) serveOver(this.channel(name), client)
    this.words.postMessage({ kind: 'reached', over, leader: this.id, fresh })
  }

  /** Asks for a channel of its own; nobody answers while nobody leads. */
  private reach(): void {
    this.wanted = `skein-${this.name}-${this.makeId()}`
    this.words.postMessage({ kind: 'reach', over: this.wanted })
  }

  private async attach(over: string, leader: string): Promise<void> {
    this.cut()
    this.leader = leader
    const { apiOver } = await import('./link.ts').catch((error: unknown) => {
      this.leader = undefined
      throw error
    })
    if (over !== this.wanted || this.leader !== leader || this.hasTurn) return
    this.change(apiOver(this.channel(`${over}-${leader}`)))
  }

  /** A leader that hangs, or that the browser has frozen, says nothing by itself. */
  private async keepAsking(): Promise<void> {
    while (await this.deps.clock.sleep(ASK_EVERY_MS, { signal: this.closing.signal })) {
      if (this.hasTurn || !this.deps.isVisible()) this.unanswered = 0
      else this.askAgain()
    }
  }

  private askAgain(): void {
    this.unanswered += 1
    if (this.unanswered > MOST_UNANSWERED && !this.silent) {
      this.silent = true
      this.lose()
    } else this.words.postMessage({ kind: 'reach', over: this.wanted })
  }

  private hear(): void {
    this.unanswered = 0
    if (!this.silent) return
    this.silent = false
    this.change(this.api)
  }

  private channel(name: string): BroadcastChannel {
    const channel = new BroadcastChannel(name)
    this.channels.set(name, channel)
    return channel
  }

  private cut(): void {
    this.leader = undefined
    for (const name of [...this.channels.keys()]) {
      if (!this.hasTurn) this.words.postMessage({ kind: 'left', channel: name })
      this.shut(name)
    }
  }

  /** Calls that are under way end with an error; a broadcast channel does not say by itself that it has closed. */
  private shut(name: string): void {
    const channel = this.channels.get(name)
    this.channels.delete(name)
    channel?.dispatchEvent(new Event('close'))
    channel?.close()
  }

  private change(api: ApiClient | undefined): void {
    this.api = api
    for (const each of [...this.listeners]) each()
  }

  private makeId(): string {
    return [...this.deps.random.bytes(12)].join('')
  }
}
