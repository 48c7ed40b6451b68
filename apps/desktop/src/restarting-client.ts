/** A client that is started anew when it has become another device; windows and tray stay. */
import type { RunningClient } from '@skein/node'
import type { ClientEvent } from '@skein/node/api'
import { eventView } from '@skein/node/host'

type Listener = (event: ClientEvent) => void

export class RestartingClient {
  /** `undefined` while there is none: it is being started anew, or has stopped. */
  client: RunningClient | undefined
  /** Resolves when a stop has been requested; rejects when the client could not be started anew. */
  readonly stopRequested: Promise<void>
  /** The client that was there is about to stop. */
  onRestart: () => void = () => undefined
  private readonly open: () => Promise<RunningClient>
  private readonly listeners = new Set<Listener>()
  private isStopping = false
  private restarting: Promise<void> = Promise.resolve()

  private constructor(client: RunningClient, open: () => Promise<RunningClient>) {
    this.open = open
    this.take(client)
    this.stopRequested = this.watch(client)
  }

  /** @param open called again for each new start @throws what it throws */
  static async start(open: () => Promise<RunningClient>): Promise<RestartingClient> {
    return new RestartingClient(await open(), open)
  }

  listen(listener: Listener): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Resolves when nothing is left running. */
  async stop(): Promise<void> {
    this.isStopping = true
    await this.restarting.catch(() => undefined)
    await this.client?.stop()
  }

  private take(client: RunningClient): void {
    this.client = client
    client.messenger.listen((event) => {
      const happening = eventView(client.messenger, event)
      for (const each of [...this.listeners]) each(happening)
    })
  }

  private async watch(first: RunningClient): Promise<void> {
    for (let client: RunningClient | undefined = first; client !== undefined; client = this.client) {
      if ((await client.stopRequested) === 'stop' || this.isStopping) return
      this.restarting = this.startAnew(client)
      await this.restarting
    }
  }

  private async startAnew(old: RunningClient): Promise<void> {
    this.client = undefined
    this.onRestart()
    await old.stop()
    if (!this.isStopping) this.take(await this.open())
  }
}
