/** Circuit Relay v2 as the relay speaks it: places and circuits asked for (`hop`), circuits announced (`stop`). */
import { SkeinError } from '../errors/index.ts'
import { decode, encode } from './codec.ts'
import { HopMessage, StopMessage } from './gen/circuit_pb.ts'

/** Largest message without its length, bytes (relay/circuit-v2.md of libp2p). */
export const MAX_CIRCUIT_MESSAGE_BYTES = 4_096
/** Longest peer id, bytes: an RSA key's multihash has 34, an Ed25519 key's identity 38. */
const MAX_PEER_ID_BYTES = 64

const RESERVE = 0
const CONNECT = 1
const HOP_STATUS = 2
const STOP_CONNECT = 0
const STOP_STATUS = 1

/** Numbers of the specification. */
const STATUS = {
  ok: 100,
  'reservation-refused': 200,
  'resource-limit': 201,
  denied: 202,
  'connection-failed': 203,
  'no-reservation': 204,
  malformed: 400,
  unexpected: 401,
} as const
export type CircuitStatus = keyof typeof STATUS

/** What a circuit may carry; absent means no limit. */
export interface CircuitLimit {
  readonly seconds?: number | undefined
  /** Each way. */
  readonly bytes?: number | undefined
}

export type HopRequestFrame = { readonly kind: 'reserve' } | { readonly kind: 'connect'; readonly peer: Uint8Array }

export interface HopReplyFrame {
  readonly status: CircuitStatus
  readonly limit?: CircuitLimit | undefined
  /** Of a place: when it ends, seconds since 1970, and the relay's multiaddrs in binary form. */
  readonly place?: { readonly expires: number; readonly addresses: readonly Uint8Array[] } | undefined
}

/** @throws SkeinError FRAME_TOO_LARGE, BAD_FRAME */
export function decodeHopRequest(bytes: Uint8Array): HopRequestFrame {
  const { type, peer } = decode(HopMessage, bytes, MAX_CIRCUIT_MESSAGE_BYTES)
  if (type === RESERVE) return { kind: 'reserve' }
  if (type !== CONNECT || peer === undefined) throw new SkeinError('BAD_FRAME', 'A request for a circuit asks for nothing known.')
  if (peer.id.length === 0 || peer.id.length > MAX_PEER_ID_BYTES) throw new SkeinError('BAD_FRAME', 'A circuit leads to no peer.')
  return { kind: 'connect', peer: peer.id }
}

export function encodeHopReply({ status, limit, place }: HopReplyFrame): Uint8Array {
  const reservation = place === undefined ? undefined : { expire: place.expires, addrs: [...place.addresses] }
  return encode(HopMessage, { type: HOP_STATUS, peer: undefined, reservation, limit: limitOf(limit), status: STATUS[status] })
}

/** Announces a circuit to the one it leads to. @param from peer id as a multihash */
export function encodeStopConnect(from: Uint8Array, limit?: CircuitLimit): Uint8Array {
  return encode(StopMessage, { type: STOP_CONNECT, peer: { id: from, addrs: [] }, limit: limitOf(limit) })
}

/** Whether the other side takes the circuit. @throws SkeinError FRAME_TOO_LARGE, BAD_FRAME */
export function decodeStopReply(bytes: Uint8Array): boolean {
  const { type, status } = decode(StopMessage, bytes, MAX_CIRCUIT_MESSAGE_BYTES)
  if (type !== STOP_STATUS) throw new SkeinError('BAD_FRAME', 'The answer to a circuit is none.')
  return status === STATUS.ok
}

/** 0 means none on the wire, so a limit below one second or byte is written as 1. */
function limitOf(limit: CircuitLimit | undefined): { duration: number; data: number } | undefined {
  if (limit === undefined || (limit.seconds === undefined && limit.bytes === undefined)) return undefined
  const whole = (value: number | undefined): number => (value === undefined ? 0 : Math.max(1, Math.floor(value)))
  return { duration: whole(limit.seconds), data: whole(limit.bytes) }
}
