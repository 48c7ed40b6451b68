/**
 * Ends connections of peers that have gone without a word. Whoever says anything is alive: the keep-alive of yamux on the
 * other side is enough, so that thousands of members that do nothing cost next to nothing. The library's monitor
 * opens a stream to each of them for every ping instead.
 */
import type { Connection } from '@libp2p/interface'
import { pingConnection } from './liveness.ts'

/** Between two looks, ms. */
const LOOK_EVERY_MS = 15_000
/** Silence after which a peer is asked, ms: twice the keep-alive of yamux, and some. */
const ASK_AFTER_MS = 75_000
/** For the answer, ms: one that waits behind a full circuit is no sign of death. */
const ANSWER_WITHIN_MS = 60_000

export interface SilentPeersDeps {
  connections(): readonly Connection[]
  /** When something of this connection has arrived last, monotonic ms. */
  heardAt(connection: Connection): number | undefined
  /** Somebody who was asked has answered after so many ms. */
  onRoundTrip(ms: number): void
  /** Somebody has said no word, and is cut off. */
  onSilent(): void
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** For the answer of a peer that is asked, ms. */
  readonly answerWithinMs?: number
}

export class SilentPeers {
  readonly #deps: SilentPeersDeps
  readonly #asked = new WeakSet<Connection>()
  /** Of transports that do not tell when something has arrived. Monotonic ms. */
  readonly #answeredAt = new WeakMap<Connection, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(deps: SilentPeersDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#timer ??= setInterval(() => this.look(), LOOK_EVERY_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Asks everybody who has been silent for too long. */
  look(): void {
    const { connections, heardAt, now } = this.#deps
    for (const connection of connections()) {
      const last = Math.max(heardAt(connection) ?? 0, this.#answeredAt.get(connection) ?? 0)
      const silentMs = now() - last
      if (silentMs < ASK_AFTER_MS || connection.status !== 'open' || this.#asked.has(connection)) continue
      this.#asked.add(connection)
      void this.#ask(connection)
    }
  }

  async #ask(connection: Connection): Promise<void> {
    const { heardAt, now, onRoundTrip, onSilent, answerWithinMs = ANSWER_WITHIN_MS } = this.#deps
    const asked = now()
    try {
      await pingConnection(connection, AbortSignal.timeout(answerWithinMs))
      onRoundTrip(now() - asked)
      this.#answeredAt.set(connection, now())
    } catch (error) {
      // A refusal of the protocol is a word as well.
      const isRefused = error instanceof Error && error.name === 'UnsupportedProtocolError'
      if (isRefused) this.#answeredAt.set(connection, now())
      else if ((heardAt(connection) ?? 0) < asked) {
        // One that has closed meanwhile has not been silent.
        if (connection.status === 'open') onSilent()
        connection.abort(new Error('silent'))
      }
    } finally {
      this.#asked.delete(connection)
    }
  }
}
