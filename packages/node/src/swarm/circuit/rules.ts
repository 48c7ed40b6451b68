/** What a relay's application decides about places and circuits; the mechanism is in this folder, the policy is not. */
import type { CircuitLimit, CircuitStatus, ShareBounds } from '@skein/core'
import type { Caller } from './caller.ts'

export interface Party {
  /** Peer id in text form. */
  readonly peer: string
  /** IP address in text form. */
  readonly address: string
}

/** Two directions of bytes: chat goes before bulk. */
export type TrafficClass = 'chat' | 'bulk'

export interface CircuitEnds {
  /** Who asked for the circuit. */
  readonly from: string
  /** IP address of who asked. */
  readonly address: string
  /** The member whom it leads to. */
  readonly to: string
}

export interface Passage {
  readonly bytes: number
  readonly class: TrafficClass
  /** Whose bytes they are; left out where both ends have asked for the connection. */
  readonly sender?: string
}

export type CircuitDecision =
  | { readonly status: 'ok'; readonly limit?: CircuitLimit | undefined }
  | { readonly status: Exclude<CircuitStatus, 'ok'> }

/** Places that are taken, without the one of the peer that asks. */
export interface HeldPlaces {
  readonly total: number
  inGroup(group: string): number
}

export interface RelayRules {
  /** Whether a connection from this address is taken at all; asked before anything is spent on it. */
  mayJoin(address: string): boolean
  /** A connection that was taken has closed. */
  onLeft(address: string): void
  /** Whether this peer may stay connected; asked when it has proven its id. */
  mayStay(peer: string): boolean
  /** Groups of addresses whose places are counted together, such as the address itself and its network. */
  groupsOf(address: string): readonly string[]
  /** Whether the relay holds a place for this peer; a refresh is asked for again. */
  mayReserve(member: Party, held: HeldPlaces): CircuitStatus
  /** Asked when the place is known to exist. */
  mayConnect(from: Party, to: string): CircuitDecision
  /** Whether what this peer was allowed before may still begin. */
  mayBegin(peer: string): boolean
  /** Counts a circuit that was just allowed while it is being opened. @returns to be called when that is over, either way */
  holdCircuit(ends: CircuitEnds): () => void
  /** Whether this peer may have something done for it now; asked once for each piece of work. */
  mayAsk(service: Service, caller: Caller): boolean
  /** Something was refused, or has come to nothing, that the mechanism itself has found wrong. */
  onRefused(service: Service, why: string): void
  /** Records that the DHT keeps: of one address, one network and in all. */
  dhtRecords(): Omit<ShareBounds, 'connection'>
  /** Bytes of a circuit have passed. @returns ms for which its sender has to wait, 0 for none */
  onPassage(ends: CircuitEnds, passage: Passage): number
  /** A circuit has begun, or ended for this reason. */
  onCircuit(ends: CircuitEnds, change: CircuitChange): void
  /** What came of a request to reserve or connect. */
  onRequest(kind: 'reserve' | 'connect' | 'unreadable', status: CircuitStatus): void
  /** Bytes of any connection, as the transport carries them. */
  onBytes(direction: 'in' | 'out', bytes: number): void
  /** How long a direction was held up in the relay, ms: by its receiver, a rate, the budget or others' turns. */
  onWaited(ms: number): void
  /** A peer that had been silent for long has answered after so many ms. */
  onRoundTrip(ms: number): void
}

/** What a relay does for whoever asks. */
export type Service =
  | 'dht'
  | 'gossip'
  | 'identify'
  | 'ping'
  | 'cards'
  | 'admission'
  | 'mail'
  | 'circuit'
  | 'bulk'
  | 'websocket'
  | 'handshake'
  /** One that stands. */
  | 'connection'

export type CircuitChange =
  | { readonly kind: 'opened' }
  | { readonly kind: 'closed'; readonly cause: CloseCause; readonly lastedMs: number; readonly bytes: number }

export type CloseCause = 'ended' | 'broken' | 'byte-limit' | 'time-limit' | 'relay'

/** Everything is allowed and nothing counted: what a relay on a desk or in a test does. */
export const OPEN_RULES: RelayRules = {
  mayJoin: () => true,
  onLeft: () => undefined,
  mayStay: () => true,
  groupsOf: () => [],
  mayReserve: () => 'ok',
  mayConnect: () => ({ status: 'ok' }),
  mayBegin: () => true,
  holdCircuit: () => () => undefined,
  mayAsk: () => true,
  onRefused: () => undefined,
  dhtRecords: () => ({ address: 1_000_000, network: 1_000_000, total: 1_000_000 }),
  onPassage: () => 0,
  onCircuit: () => undefined,
  onRequest: () => undefined,
  onWaited: () => undefined,
  onRoundTrip: () => undefined,
  onBytes: () => undefined,
}
