/** Two raw connections joined by a relay: what comes from one goes to the other, and neither is read ahead of it. */
import type { Socket } from 'node:net'
import type { CircuitEnds, CloseCause, RelayRules } from '../swarm/circuit/rules.ts'
import { SHARE_BYTES, type Turns } from '../swarm/circuit/turns.ts'
import { KEEP_ALIVE_MS, SPLICE_IDLE_MS } from './constants.ts'
import { type ReadBuffers, ReusedReads } from './reused-reads.ts'

/** Bytes that wait for the receiver before the sender is paused. */
const HOLD_AT_BYTES = 262_144

export interface SpliceOptions {
  readonly ends: CircuitEnds
  readonly rules: Pick<RelayRules, 'onPassage' | 'onCircuit' | 'onWaited' | 'onBytes'>
  readonly turns: Turns
  readonly buffers: ReadBuffers
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly onClosed: () => void
}

export class Splice implements CircuitEnds {
  readonly from: string
  readonly to: string
  readonly address: string
  readonly #reads: readonly [ReusedReads, ReusedReads]
  readonly #sockets: readonly [Socket, Socket]
  readonly #options: SpliceOptions
  readonly #startedAt: number
  #bytes = 0
  #isOpen = true

  /** @param sockets opened, and not flowing */
  constructor([first, second]: readonly [Socket, Socket], options: SpliceOptions) {
    this.#reads = [new ReusedReads(first, options.buffers), new ReusedReads(second, options.buffers)]
    this.#sockets = [this.#reads[0].socket, this.#reads[1].socket]
    this.#options = options
    this.from = options.ends.from
    this.to = options.ends.to
    this.address = options.ends.address
    this.#startedAt = options.now()
  }

  start(): void {
    const [a, b] = this.#reads
    this.#options.rules.onCircuit(this, { kind: 'opened' })
    for (const socket of this.#sockets) {
      // The end of one direction is not the end of the other.
      socket.allowHalfOpen = true
      socket.setNoDelay(true)
      socket.setKeepAlive(true, KEEP_ALIVE_MS)
      socket.setTimeout(SPLICE_IDLE_MS, () => this.end('broken'))
      socket.once('close', this.#onClose)
    }
    this.#carry(a, b.socket, this.from)
    this.#carry(b, a.socket, this.to)
    if (this.#sockets.some(({ destroyed }) => destroyed)) this.#onClose()
  }

  /** Ends both sides at once. Idempotent. */
  end(cause: CloseCause): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    const { rules, now, onClosed } = this.#options
    for (const socket of this.#sockets) socket.destroy()
    rules.onCircuit(this, { kind: 'closed', cause, lastedMs: now() - this.#startedAt, bytes: this.#bytes })
    onClosed()
  }

  readonly #onClose = (): void => {
    const inOrder = this.#sockets.every((each) => each.errored === null && each.readableEnded)
    // One of them may still be writing what was on its way.
    if (!inOrder || this.#sockets.every(({ destroyed }) => destroyed)) this.end(inOrder ? 'ended' : 'broken')
  }

  #carry(read: ReusedReads, dst: Socket, sender: string): void {
    const { turns, rules } = this.#options
    const src = read.socket
    const holds = new Holds(src, { turns, onWaited: rules.onWaited })
    let inTurn = 0
    let endRest = (): void => undefined
    src.once('close', () => {
      endRest()
      holds.end()
    })
    dst.on('drain', () => holds.remove('backlog'))
    src.once('end', () => dst.end())
    read.start((bytes, done) => {
      const wait = this.#pass(bytes.length)
      // What has failed may still be held by the system for a moment.
      dst.write(bytes, (error) => void (error == null && done()))
      // Not by what `write` returns: it says no to every full read, even when the system has taken all of it.
      if (dst.writableLength > HOLD_AT_BYTES) holds.add('backlog')
      if (wait > 0 && holds.add('pace')) endRest = turns.rest(wait, () => holds.remove('pace'))
      inTurn += bytes.length
      if (inTurn < turns.share || !holds.add('turn')) return
      turns.wait(sender, SHARE_BYTES, () => holds.remove('turn'))
      inTurn = 0
    })
  }

  #pass(bytes: number): number {
    const { rules } = this.#options
    this.#bytes += bytes
    rules.onBytes('in', bytes)
    rules.onBytes('out', bytes)
    return rules.onPassage(this, { bytes, class: 'bulk' })
  }
}

interface Watch {
  readonly turns: Turns
  onWaited(ms: number): void
}

/** Why a socket is not read at present. */
class Holds {
  readonly #socket: Socket
  readonly #reasons = new Set<'backlog' | 'pace' | 'turn'>()

  readonly #watch: Watch
  #endHold: (() => number) | undefined

  constructor(socket: Socket, watch: Watch) {
    this.#socket = socket
    this.#watch = watch
  }

  /** @returns whether it is new */
  add(reason: 'backlog' | 'pace' | 'turn'): boolean {
    if (this.#reasons.has(reason)) return false
    if (this.#reasons.size === 0) this.#endHold = this.#watch.turns.hold()
    this.#reasons.add(reason)
    this.#socket.pause()
    return true
  }

  remove(reason: 'backlog' | 'pace' | 'turn'): void {
    if (!this.#reasons.delete(reason) || this.#reasons.size > 0) return
    this.#watch.onWaited(this.#endHold?.() ?? 0)
    this.#socket.resume()
  }

  /** The socket has closed. */
  end(): void {
    this.#endHold?.()
  }
}
