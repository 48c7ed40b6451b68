/** Many tabs, one client: one tab runs it, the others reach it through that tab, and one of them takes over when it goes. */
import { createRouterClient } from '@orpc/server'
import type { ApiClient } from '../api/api-client.ts'
import { router } from '../api/router.ts'
import type { Client } from '../assemble.ts'
import { type ExclusiveDeps, exclusively, type Turn } from './exclusive.ts'

/** Before a turn that failed or was lost is taken again, ms. */
const AGAIN_AFTER_MS = 1_000

export interface RunningTabClient extends Client {
  /** Resolves when the client wants to be started anew, with other settings. */
  readonly restartRequested: Promise<void>
  stop(): Promise<void>
}

export interface TabDeps extends ExclusiveDeps {
  /** Starts the client, in the tab whose turn it is. */
  start(): Promise<RunningTabClient>
  /** The client could not be started, or not be reached any more. */
  onFailure(error: unknown): void
}

export interface Tab {
  /** The API as it can be reached now; `undefined` while nobody leads. */
  readonly api: ApiClient | undefined
  readonly leads: boolean
  /** Told when `api` has become another one. The returned function ends it. */
  listen(listener: () => void): () => void
  /** Gives up the turn, if it has it. Idempotent. */
  close(): Promise<void>
}

type Word =
  /** A follower wants to reach the leader over the channel of this name. */
  | { readonly kind: 'reach'; readonly over: string }
  | { readonly kind: 'reached'; readonly over: string }
  /** There is a new leader. */
  | { readonly kind: 'leader' }
  /** The leader goes; another will come. */
  | { readonly kind: 'gone' }

/** @param name of the identity within the origin */
export function openTab(name: string, deps: TabDeps): Tab {
  return new SharedTab(name, deps)
}

class SharedTab implements Tab {
  api: ApiClient | undefined
  leads = false
  private readonly name: string
  private readonly deps: TabDeps
  private readonly words: BroadcastChannel
  private readonly listeners = new Set<() => void>()
  private readonly closing = new AbortController()
  /** Channels of this tab's own followers, or its one to the leader. */
  private readonly channels = new Set<BroadcastChannel>()
  private readonly done: Promise<void>
  /** The channel that was asked for last. */
  private wanted = ''
  private serving: Client | undefined

  constructor(name: string, deps: TabDeps) {
    this.name = name
    this.deps = deps
    this.words = new BroadcastChannel(`skein-${name}-words`)
    this.words.addEventListener('message', ({ data }: MessageEvent<Word>) => this.onWord(data))
    this.reach()
    this.done = this.lead()
  }

  listen(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  async close(): Promise<void> {
    this.closing.abort()
    await this.done
    this.words.close()
    this.cut()
  }

  /** Takes this tab's turn whenever it comes; one that fails is tried again. */
  private async lead(): Promise<void> {
    const { signal } = this.closing
    const turn = ({ lost }: Turn): Promise<void> => this.serve(AbortSignal.any([lost, signal]))
    do {
      await exclusively(`skein-${this.name}`, turn, { ...this.deps, signal }).catch((error: unknown) => this.deps.onFailure(error))
    } while (await this.deps.clock.sleep(AGAIN_AFTER_MS, { signal }))
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
      this.words.postMessage({ kind: 'gone' })
      this.lose()
      await client.stop()
    }
  }

  private lose(): void {
    this.cut()
    this.change(undefined)
  }

  private onWord(word: Word): void {
    if (word.kind === 'gone' && !this.leads) this.lose()
    if (word.kind === 'reach' && this.serving !== undefined) this.during(this.admit(word.over, this.serving))
    if (word.kind === 'leader' && !this.leads) this.reach()
    if (word.kind === 'reached' && word.over === this.wanted && !this.leads) this.during(this.attach(word.over))
  }

  private during(work: Promise<void>): void {
    work.catch((error: unknown) => this.deps.onFailure(error))
  }

  private async admit(over: string, client: Client): Promise<void> {
    const { serveOver } = await import('./link.ts')
    if (this.serving !== client) return
    serveOver(this.channel(over), client)
    this.words.postMessage({ kind: 'reached', over })
  }

  /** Asks for a channel of its own; nobody answers while nobody leads. */
  private reach(): void {
    this.wanted = `skein-${this.name}-${[...this.deps.random.bytes(12)].join('')}`
    this.words.postMessage({ kind: 'reach', over: this.wanted })
  }

  private async attach(over: string): Promise<void> {
    const { apiOver } = await import('./link.ts')
    if (over !== this.wanted || this.leads) return
    this.cut()
    this.change(apiOver(this.channel(over)))
  }

  private channel(over: string): BroadcastChannel {
    const channel = new BroadcastChannel(over)
    this.channels.add(channel)
    return channel
  }

  private cut(): void {
    for (const channel of this.channels) {
      // Calls that are under way end with an error; a broadcast channel does not say by itself that it has closed.
      channel.dispatchEvent(new Event('close'))
      channel.close()
    }
    this.channels.clear()
  }

  private change(api: ApiClient | undefined): void {
    this.api = api
    for (const each of [...this.listeners]) each()
  }
}
