/** `/skein/punch/1`: how two devices agree on a UDP path between their NATs, over a relayed stream. */
import { SkeinError } from '../errors/index.ts'
import { decode, encode, exactly } from './codec.ts'
import { UdpPunch } from './gen/punch_pb.ts'

/** Largest message, bytes. */
export const MAX_UDP_PUNCH_BYTES = 2_048
export const PUNCH_NONCE_BYTES = 16
/** Of a relay's proof of an address. */
export const SEEN_TOKEN_BYTES = 16
const MAX_SERVERS = 8
const MAX_TEXT = 256
const MAX_PORT = 65_535
/** A NAT that goes further than this with each destination cannot be followed. */
export const MAX_PORT_STEP = 16

const MAPPINGS = ['', 'same', 'sequential', 'random'] as const
/** Which outside port a NAT takes for another destination of the same socket. */
export type PortMapping = 'same' | 'sequential' | 'random'

const CAUSES = ['unknown', 'busy', 'no-udp', 'no-relay'] as const
/** Why a side does not go on: it has no place just now, UDP does not get through there, or they have no relay in common. */
export type PunchRefusal = (typeof CAUSES)[number]

export interface UdpPunchOfferFields {
  readonly nonce: Uint8Array
  readonly stun: string
  /** Text of an IPv4 address, not judged here. */
  readonly host: string
  readonly port: number
  readonly mapping: PortMapping
  /** Between the ports for two destinations in a row; 0 unless `sequential`. */
  readonly step: number
  readonly token: Uint8Array
}

export type UdpPunchFrame =
  | { readonly kind: 'ask'; readonly nonce: Uint8Array; readonly stun: readonly string[] }
  | ({ readonly kind: 'offer' } & UdpPunchOfferFields)
  | { readonly kind: 'go' }
  | { readonly kind: 'no'; readonly cause: PunchRefusal }

export function encodeUdpPunch(frame: UdpPunchFrame): Uint8Array {
  if (frame.kind === 'go') return encode(UdpPunch, { kind: { $case: 'go', value: {} } })
  if (frame.kind === 'no') return encode(UdpPunch, { kind: { $case: 'no', value: { cause: CAUSES.indexOf(frame.cause) } } })
  if (frame.kind === 'ask')
    return encode(UdpPunch, { kind: { $case: 'ask', value: { nonce: frame.nonce, stun: [...frame.stun.slice(0, MAX_SERVERS)] } } })
  const { kind: _, mapping, ...rest } = frame
  return encode(UdpPunch, { kind: { $case: 'offer', value: { ...rest, mapping: MAPPINGS.indexOf(mapping) } } })
}

/** @throws SkeinError FRAME_TOO_LARGE, BAD_FRAME */
export function decodeUdpPunch(bytes: Uint8Array): UdpPunchFrame {
  if (bytes.length > MAX_UDP_PUNCH_BYTES) throw new SkeinError('FRAME_TOO_LARGE', 'A coordination message is larger than the limit.')
  const { kind } = decode(UdpPunch, bytes)
  if (kind?.$case === 'go') return { kind: 'go' }
  if (kind?.$case === 'no') return { kind: 'no', cause: CAUSES[kind.value.cause] ?? 'unknown' }
  if (kind?.$case === 'ask') {
    const stun = kind.value.stun.filter((each) => each.length <= MAX_TEXT).slice(0, MAX_SERVERS)
    return { kind: 'ask', nonce: exactly(kind.value.nonce, PUNCH_NONCE_BYTES), stun }
  }
  if (kind?.$case !== 'offer') throw new SkeinError('BAD_FRAME', 'A coordination message is of no known kind.')
  const { nonce, token, mapping, ...rest } = kind.value
  const named = MAPPINGS[mapping]
  const isSane = rest.port > 0 && rest.port <= MAX_PORT && rest.stun.length <= MAX_TEXT && rest.host.length <= MAX_TEXT
  if (!named || !isSane || Math.abs(rest.step) > MAX_PORT_STEP) throw new SkeinError('BAD_FRAME', 'An offer has values that cannot be.')
  return { kind: 'offer', ...rest, mapping: named, nonce: exactly(nonce, PUNCH_NONCE_BYTES), token: exactly(token, SEEN_TOKEN_BYTES) }
}
