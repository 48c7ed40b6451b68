/** A page that a host on this machine serves: the client runs there, and the page reaches it over a WebSocket. */
import type { Clock } from '@skein/core'
import type { ApiClient } from '../api/api-client.ts'
import type { Tab } from '../tabs/index.ts'

/** Before the next try to reach a host that is away, ms. */
const AGAIN_AFTER_MS = 1_000

export interface HostPlace {
  /** Of the API, `ws://…` */
  readonly url: string
  /** What the page says on opening: the host's protocol, and the session that it has been given. */
  readonly protocols: readonly string[]
}

export function openHost(place: HostPlace, clock: Pick<Clock, 'sleep'>): Tab {
  return new HostTab(place, clock)
}

class HostTab implements Tab {
  api: ApiClient | undefined
  readonly leads = false
  readonly silent = false
  private readonly place: HostPlace
  private readonly clock: Pick<Clock, 'sleep'>
  private readonly listeners = new Set<() => void>()
  private readonly closing = new AbortController()
  private readonly done: Promise<void>

  constructor(place: HostPlace, clock: Pick<Clock, 'sleep'>) {
    this.place = place
    this.clock = clock
    this.done = this.keepConnected()
  }

  listen(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  async close(): Promise<void> {
    this.closing.abort()
    await this.done
  }

  private async keepConnected(): Promise<void> {
    const { signal } = this.closing
    // A page whose server is away may not get the module either: the next try asks for it again.
    do await this.connectOnce(signal).catch(() => this.change(undefined))
    while (await this.clock.sleep(AGAIN_AFTER_MS, { signal }))
  }

  /** Resolves when the connection has ended. */
  private async connectOnce(signal: AbortSignal): Promise<void> {
    const { apiOver } = await import('./link.ts')
    const socket = new WebSocket(this.place.url, [...this.place.protocols])
    socket.addEventListener('open', () => this.change(apiOver(socket)), { once: true })
    const close = (): void => socket.close()
    signal.addEventListener('abort', close, { once: true })
    return new Promise((resolve) =>
      socket.addEventListener('close', () => {
        signal.removeEventListener('abort', close)
        this.change(undefined)
        resolve()
      }),
    )
  }

  private change(api: ApiClient | undefined): void {
    this.api = api
    for (const each of [...this.listeners]) each()
  }
}
