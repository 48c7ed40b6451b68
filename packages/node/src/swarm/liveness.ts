/** Finds dead connections by pings, and by pings only when nothing else has been heard: a busy connection is alive. */
import type { Connection } from '@libp2p/interface'
import type { Clock, DeviceId } from '@skein/core'
import { DOUBT_TIMEOUT_MS, PING_EVERY_MS, PING_TIMEOUT_MS, PINGS_UNTIL_DEAD } from './constants.ts'

const PING_PROTOCOL = '/ipfs/ping/1.0.0'
/** libp2p specification of ping: 32 random bytes come back as they went. */
const PING_BYTES = 32

export interface Pingable {
  readonly id: string
  readonly device: DeviceId
  /** Resolves when the other side has answered. @throws when it has not */
  ping(signal: AbortSignal): Promise<void>
  /** Ends the connection at once. */
  abort(): void
}

export interface LivenessDeps {
  readonly clock: Clock
  /** Connections to look after. */
  connections(): readonly Pingable[]
  onAlive(device: DeviceId): void
}

export class Liveness {
  private readonly deps: LivenessDeps
  /** How often something came over a connection, by its id: a circuit does not speak for a direct one that is dead. */
  private readonly heard = new Map<string, number>()
  /** One question at a time on a connection; who asks meanwhile shares its answer. */
  private readonly asking = new Map<string, Promise<boolean>>()
  private readonly rtts = new Map<string, number>()

  constructor(deps: LivenessDeps) {
    this.deps = deps
  }

  /** Something of the device has arrived over the connection with this id. */
  sign(device: DeviceId, id: string): void {
    this.heard.set(id, (this.heard.get(id) ?? 0) + 1)
    this.deps.onAlive(device)
  }

  /** Last round trip over the connection with this id, milliseconds. */
  rtt(id: string): number | undefined {
    return this.rtts.get(id)
  }

  /** Runs until `signal` aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (await this.deps.clock.sleep(PING_EVERY_MS, { signal })) {
      const connections = this.deps.connections()
      this.forgetOthers(connections)
      await Promise.all(connections.map((each) => this.check(each, signal)))
    }
  }

  /**
   * Ends `connection` unless it answers, or anything else comes over it, soon. For when its device has opened or lost another one: a page
   * that was reloaded or a process that was killed says nothing on its other connections, and WebRTC takes half a minute to notice.
   */
  async doubt(connection: Pingable, signal: AbortSignal): Promise<void> {
    const before = this.signs(connection)
    const answered = await this.isAnswered(connection, { signal, within: DOUBT_TIMEOUT_MS })
    if (!answered && this.signs(connection) <= before && !signal.aborted) connection.abort()
  }

  /** A failed ping is followed by the next at once: what is dead should not look alive for another interval. */
  private async check(connection: Pingable, signal: AbortSignal): Promise<void> {
    for (let tries = 0; tries < PINGS_UNTIL_DEAD; tries += 1) {
      if ((await this.isAlive(connection, signal)) || signal.aborted) return
    }
    connection.abort()
  }

  private async isAlive(connection: Pingable, signal: AbortSignal): Promise<boolean> {
    const { clock } = this.deps
    const before = this.signs(connection)
    const started = clock.monotonic()
    const answered = await this.isAnswered(connection, { signal, within: PING_TIMEOUT_MS })
    if (answered) {
      this.rtts.set(connection.id, Math.round(clock.monotonic() - started))
      this.deps.onAlive(connection.device)
    }
    return answered || this.signs(connection) > before
  }

  private signs({ id }: Pingable): number {
    return this.heard.get(id) ?? 0
  }

  private isAnswered(connection: Pingable, limit: { readonly signal: AbortSignal; readonly within: number }): Promise<boolean> {
    const running = this.asking.get(connection.id)
    if (running !== undefined) return running
    const answer = this.ask(connection, limit).finally(() => this.asking.delete(connection.id))
    this.asking.set(connection.id, answer)
    return answer
  }

  private async ask(connection: Pingable, { signal, within }: { readonly signal: AbortSignal; readonly within: number }): Promise<boolean> {
    const done = new AbortController()
    const late = this.deps.clock.sleep(within, { signal: AbortSignal.any([signal, done.signal]) }).then(() => false)
    const answer = connection.ping(AbortSignal.any([signal, done.signal])).then(
      () => true,
      () => false,
    )
    const answered = await Promise.race([answer, late])
    done.abort()
    return answered
  }

  private forgetOthers(connections: readonly Pingable[]): void {
    const ids = new Set(connections.map(({ id }) => id))
    for (const id of this.rtts.keys()) if (!ids.has(id)) this.rtts.delete(id)
    for (const id of this.heard.keys()) if (!ids.has(id)) this.heard.delete(id)
  }
}

/** One ping over exactly this connection; the library's own picks one itself and dials when there is none. */
export async function pingConnection(connection: Connection, signal: AbortSignal): Promise<void> {
  const stream = await connection.newStream(PING_PROTOCOL, { signal, runOnLimitedConnection: true })
  try {
    await new Promise<void>((resolve, reject) => {
      let missing = PING_BYTES
      stream.addEventListener('message', ({ data }) => {
        missing -= data.byteLength
        if (missing <= 0) resolve()
      })
      stream.addEventListener('close', () => reject(new Error('the ping stream closed')))
      signal.addEventListener('abort', () => reject(new Error('no answer')), { once: true })
      stream.send(crypto.getRandomValues(new Uint8Array(PING_BYTES)))
    })
    await stream.close({ signal })
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error(String(error)))
    throw error
  }
}
