/**
 * The relay's side of Circuit Relay v2. Ours, because the library's service has one limit for all circuits, no hook where
 * bytes pass, an unbounded queue in each circuit, keeps the places of peers that have gone, and announces its time limit in
 * milliseconds where seconds are meant (docs/adr/0009-our-own-circuits.md).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection, PeerId, Stream } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { peerIdFromMultihash } from '@libp2p/peer-id'
import { lpStream } from '@libp2p/utils'
import {
  type CircuitStatus,
  decodeHopRequest,
  decodeStopReply,
  encodeHopReply,
  encodeStopConnect,
  type HopReplyFrame,
  type HopRequestFrame,
  isSkeinError,
  type Logger,
  MAX_CIRCUIT_MESSAGE_BYTES,
} from '@skein/core'
import { decode as decodeMultihash } from 'multiformats/hashes/digest'
import type { ChatBudget } from './chat-budget.ts'
import { Circuit, type CircuitOptions } from './circuit.ts'
import { offenceOf } from '../offences.ts'
import { asError } from './flow.ts'
import type { Places } from './places.ts'
import { partyOf } from './party.ts'
import type { CircuitDecision, RelayRules } from './rules.ts'
import type { Turns } from './turns.ts'

export const HOP_PROTOCOL = '/libp2p/circuit/relay/0.2.0/hop'
export const STOP_PROTOCOL = '/libp2p/circuit/relay/0.2.0/stop'
/** Time for one reserve or connect request, ms; the other side may be a phone that is waking up. */
const HOP_TIMEOUT_MS = 30_000
/** Circuits per connection, each way; the library's 32 and 64 cut off a busy member. */
const MAX_CIRCUITS_PER_CONNECTION = 1_024
/** Between two looks for places that have ended, ms. */
const SWEEP_MS = 60_000

export interface HopComponents {
  readonly registrar: Registrar
  readonly connectionManager: ConnectionManager
  readonly addressManager: { getAddresses(): { readonly bytes: Uint8Array }[] }
}

export interface HopOptions {
  readonly rules: RelayRules
  readonly places: Places
  readonly logger: Logger
  readonly turns: Turns
  readonly chat: ChatBudget
}

/** Of a member that has several connections: how many are tried, and how long each has before the next one, ms. */
const MOST_TRIED = 4
const NEXT_AFTER_MS = 2_000
const TAKEN = new Error('the circuit has been taken over another connection')

interface Wanted {
  readonly peer: PeerId
  readonly decision: CircuitDecision & { readonly status: 'ok' }
}

/** A circuit's far end that has taken it. */
type Announced = Pick<Asked, 'stream' | 'connection'>

interface Asked {
  /** For answering; spliced only after `unwrap`. */
  readonly stream: Stream
  /** Gives back to the stream what has been read too far. */
  readonly unwrap: () => void
  readonly connection: Connection
  readonly signal: AbortSignal
  /** Answers, and says what came of it. */
  readonly reply: (frame: HopReplyFrame) => Promise<void>
}

export class HopService {
  readonly places: Places
  readonly circuits = new Set<Circuit>()
  readonly #parts: HopComponents
  readonly #options: HopOptions
  #sweeping: NodeJS.Timeout | undefined

  constructor(parts: HopComponents, options: HopOptions) {
    this.#parts = parts
    this.#options = options
    this.places = options.places
  }

  async start(): Promise<void> {
    this.#sweeping = setInterval(() => this.places.sweep(), SWEEP_MS).unref()
    await this.#parts.registrar.handle(HOP_PROTOCOL, (stream, connection) => this.#onHop(stream, connection), {
      maxInboundStreams: MAX_CIRCUITS_PER_CONNECTION,
      runOnLimitedConnection: false,
    })
  }

  async stop(): Promise<void> {
    clearInterval(this.#sweeping)
    await this.#parts.registrar.unhandle(HOP_PROTOCOL)
    for (const circuit of [...this.circuits]) circuit.end('relay')
    this.places.clear()
  }

  async #onHop(stream: Stream, connection: Connection): Promise<void> {
    const frames = lpStream(stream, { maxDataLength: MAX_CIRCUIT_MESSAGE_BYTES })
    const signal = AbortSignal.timeout(HOP_TIMEOUT_MS)
    let kind: HopRequestFrame['kind'] | 'unreadable' = 'unreadable'
    const reply = async (frame: HopReplyFrame): Promise<void> => {
      this.#options.rules.onRequest(kind, frame.status)
      await frames.write(encodeHopReply(frame), { signal })
    }
    try {
      const request = await this.#read(() => frames.read({ signal }))
      kind = request?.kind ?? kind
      const asked = { stream, unwrap: () => void frames.unwrap(), connection, signal, reply }
      if (request === undefined) await this.#refuse(asked, 'malformed')
      else if (request.kind === 'reserve') await this.#reserve(asked)
      else await this.#connect(asked, request.peer)
    } catch (error) {
      this.#options.logger.debug('hop-failed', { reason: String(error) })
      stream.abort(asError(error))
    }
  }

  /** `undefined` for a request that cannot be read. @throws Error for one that does not come */
  async #read(read: () => Promise<{ subarray(): Uint8Array }>): Promise<HopRequestFrame | undefined> {
    try {
      return decodeHopRequest((await read()).subarray())
    } catch (error) {
      const offence = offenceOf(error)
      if (offence !== undefined) this.#options.rules.onRefused('circuit', offence)
      if (isSkeinError(error)) return undefined
      throw error
    }
  }

  async #refuse({ stream, signal, reply }: Asked, status: Exclude<CircuitStatus, 'ok'>): Promise<void> {
    await reply({ status })
    await stream.close({ signal })
  }

  async #reserve(asked: Asked): Promise<void> {
    const party = partyOf(asked.connection)
    const status = party === undefined ? 'denied' : this.#options.rules.mayReserve(party, this.places.heldBeside(party.peer))
    if (party === undefined || status !== 'ok') return this.#refuse(asked, status === 'ok' ? 'denied' : status)
    const place = this.places.take(party.peer, party.address)
    const addresses = this.#parts.addressManager.getAddresses().map(({ bytes }) => bytes)
    try {
      await asked.reply({ status: 'ok', place: { expires: Math.floor((Date.now() + this.places.leftMs(place)) / 1_000), addresses } })
    } catch (error) {
      if (asked.connection.status !== 'open') this.places.release(party.peer)
      throw error
    }
    await asked.stream.close({ signal: asked.signal })
  }

  async #connect(asked: Asked, target: Uint8Array): Promise<void> {
    const peer = peerOf(target)
    if (peer === undefined) return this.#refuse(asked, 'malformed')
    const decision = this.#decide(asked.connection, peer)
    if (decision.status !== 'ok') return this.#refuse(asked, decision.status)
    const { connection } = asked
    const ends = { from: connection.remotePeer.toString(), to: peer.toString(), address: partyOf(connection)?.address ?? '' }
    const settle = this.#options.rules.holdCircuit(ends)
    try {
      await this.#open(asked, { peer, decision })
    } finally {
      settle()
    }
  }

  async #open(asked: Asked, { peer, decision }: Wanted): Promise<void> {
    const other = await this.#announce(asked, { peer, decision })
    if (other === undefined) return this.#refuse(asked, 'connection-failed')
    try {
      await asked.reply({ status: 'ok', limit: decision.limit })
    } catch (error) {
      other.stream.abort(asError(error))
      throw error
    }
    asked.unwrap()
    const { remotePeer: from } = asked.connection
    const address = partyOf(asked.connection)?.address ?? ''
    const uncounted = [asked.connection, other.connection].map(isUncounted)
    this.#splice([asked.stream, other.stream], { from, to: peer, address, limit: decision.limit, uncounted })
  }

  #decide(connection: Connection, to: PeerId): CircuitDecision {
    const from = partyOf(connection)
    if (from === undefined) return { status: 'denied' }
    if (this.places.get(to.toString()) === undefined) return { status: 'no-reservation' }
    return this.#options.rules.mayConnect(from, to.toString())
  }

  /**
   * Over the newest connection of the member: of an older one it may have forgotten the other end. The newest may be half open as
   * well, so the one before has its turn when nothing comes over it, and what takes the circuit first has it.
   */
  async #announce({ connection: { remotePeer: from }, signal }: Asked, { peer, decision }: Wanted): Promise<Announced | undefined> {
    const open = this.#parts.connectionManager.getConnections(peer).filter((each) => each.status === 'open')
    const tries: Promise<Announced>[] = []
    for (const connection of open.toReversed().slice(0, MOST_TRIED)) {
      const turn = { before: tries.at(-1), withinMs: tries.length * NEXT_AFTER_MS, signal }
      tries.push(itsTurn(turn).then(() => announceOver(connection, { from, decision, signal })))
    }
    const first = await Promise.any(tries).catch((error: unknown) => {
      this.#options.logger.debug('stop-failed', { reason: String(error) })
    })
    // Who answers too late is told that it is not wanted any more.
    for (const each of tries) void each.then((late) => late === first || late.stream.abort(TAKEN)).catch(() => undefined)
    return first ?? undefined
  }

  #splice(
    streams: readonly [Stream, Stream],
    { from, to, ...options }: { readonly from: PeerId; readonly to: PeerId } & Pick<CircuitOptions, 'limit' | 'uncounted' | 'address'>,
  ): void {
    const circuit: Circuit = new Circuit(streams, {
      from: from.toString(),
      to: to.toString(),
      ...options,
      rules: this.#options.rules,
      now: () => performance.now(),
      turns: this.#options.turns,
      chat: this.#options.chat,
      onClosed: () => this.circuits.delete(circuit),
    })
    this.circuits.add(circuit)
    circuit.start()
  }
}

interface Turn {
  /** The try that was begun last; `undefined` for the first one. */
  readonly before: Promise<Announced> | undefined
  readonly withinMs: number
  readonly signal: AbortSignal
}

/** When the one before has failed or has had its time. @throws Error when it has been taken meanwhile */
async function itsTurn({ before, withinMs, signal }: Turn): Promise<void> {
  if (before === undefined) return
  const isTaken = before.then(
    () => true,
    () => false,
  )
  if (await Promise.race([isTaken, sleep(withinMs, false, { signal, ref: false })])) throw TAKEN
}

interface Asking {
  readonly from: PeerId
  readonly decision: Wanted['decision']
  readonly signal: AbortSignal
}

/** @throws Error when the other side does not take the circuit */
async function announceOver(connection: Connection, { from, decision, signal }: Asking): Promise<Announced> {
  const stream = await connection.newStream(STOP_PROTOCOL, { signal, maxOutboundStreams: MAX_CIRCUITS_PER_CONNECTION })
  try {
    const frames = lpStream(stream, { maxDataLength: MAX_CIRCUIT_MESSAGE_BYTES })
    await frames.write(encodeStopConnect(from.toMultihash().bytes, decision.limit), { signal })
    const isTaken = decodeStopReply((await frames.read({ signal })).subarray())
    frames.unwrap()
    if (!isTaken) throw new Error('the other side does not take the circuit')
    return { stream, connection }
  } catch (error) {
    stream.abort(asError(error))
    throw error
  }
}

/** Bytes of these transports go by the connection beneath, where those of the others are counted. */
function isUncounted({ remoteAddr }: Connection): boolean {
  return /\/(quic-v1|webrtc-direct|webrtc)(\/|$)/.test(remoteAddr.toString())
}

function peerOf(multihash: Uint8Array): PeerId | undefined {
  try {
    return peerIdFromMultihash(decodeMultihash(multihash) as Parameters<typeof peerIdFromMultihash>[0])
  } catch {
    return undefined
  }
}
