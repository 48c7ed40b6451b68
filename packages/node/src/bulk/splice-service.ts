/** The relay's side of raw connections: who may be joined with whom, and bringing both ends together (BU6, BU7). */
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Connection, Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import {
  BULK_KEY_BYTES,
  BULK_TICKET_BYTES,
  decodeSpliceRequest,
  encodeSpliceReply,
  type Logger,
  MAX_BULK_CONTROL_BYTES,
  type SpliceReplyFrame,
  type SpliceRefusal,
  type SpliceRequestFrame,
} from '@skein/core'
import { partyOf } from '../swarm/circuit/party.ts'
import type { Places } from '../swarm/circuit/places.ts'
import type { CircuitEnds, Party, RelayRules } from '../swarm/circuit/rules.ts'
import type { Turns } from '../swarm/circuit/turns.ts'
import { asError } from '../swarm/framing.ts'
import { offenceOf } from '../swarm/offences.ts'
import { OPENING_WITHIN_MS, TICKET_AGE_MS } from './constants.ts'
import { HeldCircuits } from './held-circuits.ts'
import { ReadBuffers } from './reused-reads.ts'
import { Splice } from './splice.ts'
import { type OpenedSocket, Tickets } from './tickets.ts'

export interface SpliceServiceParts {
  readonly rules: RelayRules
  readonly places: Places
  readonly turns: Turns
  readonly logger: Logger
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/** The first of two ends; the other has not come yet. */
interface Alone {
  readonly peer: string
  readonly address: string
  readonly socket: Socket
  readonly timer: NodeJS.Timeout
}

export class SpliceService {
  readonly splices = new Set<Splice>()
  readonly #parts: SpliceServiceParts
  readonly #tickets = new Tickets()
  readonly #buffers = new ReadBuffers()
  readonly #held: HeldCircuits
  readonly #alone = new Map<string, Alone>()
  readonly #stopping = new AbortController()

  constructor(parts: SpliceServiceParts) {
    this.#parts = parts
    this.#held = new HeldCircuits(parts.rules)
  }

  /** Answers one request on a channel. */
  async serve(stream: Stream, connection: Connection): Promise<void> {
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(OPENING_WITHIN_MS)])
    try {
      const frames = lpStream(stream, { maxDataLength: MAX_BULK_CONTROL_BYTES })
      const request = decodeSpliceRequest((await frames.read({ signal })).subarray())
      await frames.write(encodeSpliceReply(this.#answer(partyOf(connection), request)), { signal })
      await stream.close({ signal })
    } catch (error) {
      const offence = offenceOf(error)
      if (offence !== undefined && !this.#stopping.signal.aborted) this.#parts.rules.onRefused('bulk', offence)
      this.#parts.logger.debug('splice-failed', { reason: String(error) })
      stream.abort(asError(error))
    }
  }

  /** A raw connection that somebody opens. */
  async onRaw(socket: Socket): Promise<void> {
    const { signal } = this.#stopping
    const isOpen = await this.#tickets.admit(socket, signal)
    if (!isOpen && !signal.aborted) this.#parts.rules.onRefused('bulk', 'failed')
  }

  /** Nothing is begun any more that this peer has asked for, or that waits for it. */
  drop(peer: string): void {
    this.#tickets.drop(peer)
    for (const [name] of [...this.#alone]) if (name.split(' ').includes(peer)) this.#leave(name)
  }

  stop(): void {
    this.#stopping.abort()
    this.#tickets.clear()
    for (const [name] of [...this.#alone]) this.#leave(name)
    for (const splice of [...this.splices]) splice.end('relay')
  }

  #answer(party: Party | undefined, request: SpliceRequestFrame): SpliceReplyFrame {
    if (party === undefined) return { status: 'denied' }
    const name = nameOf(party.peer, request)
    const refusal = this.#held.without(name, () => this.#refusal(party, request))
    if (refusal !== undefined) return { status: refusal }
    const secret = { ticket: randomBytes(BULK_TICKET_BYTES), key: randomBytes(BULK_KEY_BYTES) }
    const onOpened = ({ socket, reader }: OpenedSocket): void => {
      reader.release()
      this.#arrived(socket, party, request)
    }
    const onExpired = (): void => this.#held.give(name)
    if (!this.#tickets.expect({ ...secret, device: party.peer, onOpened, onExpired })) return { status: 'full' }
    this.#held.take(name, { from: party.peer, to: request.peer, address: party.address })
    return { status: 'ok', secret }
  }

  /** As for a circuit to the other end, also where it is the other one that reaches this one here. */
  #refusal(party: Party, { peer }: SpliceRequestFrame): SpliceRefusal | undefined {
    const { rules, places } = this.#parts
    if (party.peer === peer) return 'denied'
    if (places.get(peer) === undefined && places.get(party.peer) === undefined) return 'no-reservation'
    const decision = rules.mayConnect(party, peer)
    rules.onRequest('connect', decision.status)
    // A limited circuit is for a few words; whoever gets no more needs no raw connection.
    if (decision.status === 'ok') return decision.limit === undefined ? undefined : 'denied'
    return decision.status === 'resource-limit' ? 'resource-limit' : 'denied'
  }

  #arrived(socket: Socket, { peer, address }: Party, request: SpliceRequestFrame): void {
    const name = nameOf(peer, request)
    const first = this.#alone.get(name)
    if (first !== undefined && first.peer !== peer) {
      clearTimeout(first.timer)
      this.#alone.delete(name)
      this.#join([first.socket, socket], { from: first.peer, address: first.address, to: peer })
      for (let end = 0; end < 2; end += 1) this.#held.give(name)
      return
    }
    this.#leave(name)
    this.#alone.set(name, { peer, address, socket, timer: setTimeout(() => this.#leave(name), TICKET_AGE_MS) })
  }

  #leave(name: string): void {
    const alone = this.#alone.get(name)
    if (alone === undefined) return
    clearTimeout(alone.timer)
    this.#alone.delete(name)
    alone.socket.destroy()
    this.#held.give(name)
  }

  /** What was allowed when the tickets were given may not be any more. */
  #join(sockets: readonly [Socket, Socket], ends: CircuitEnds): void {
    if (![ends.from, ends.to].every((peer) => this.#parts.rules.mayBegin(peer))) {
      for (const socket of sockets) socket.destroy()
      return
    }
    const parts = { ...this.#parts, buffers: this.#buffers }
    const splice: Splice = new Splice(sockets, { ...parts, ends, onClosed: () => this.splices.delete(splice) })
    this.splices.add(splice)
    splice.start()
  }
}

/** The same for both ends. */
function nameOf(peer: string, { peer: other, session }: SpliceRequestFrame): string {
  return [Buffer.from(session).toString('hex'), ...[peer, other].sort()].join(' ')
}
