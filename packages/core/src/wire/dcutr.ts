/** Coordination of two dials at once, over a relay: `/libp2p/dcutr` of libp2p's specification. */
import { SkeinError } from '../errors/index.ts'
import { decode, encode } from './codec.ts'
import { HolePunch } from './gen/dcutr_pb.ts'

/** Largest message without its length, bytes (relay/DCUtR.md). */
export const MAX_DCUTR_BYTES = 4_096
/** Addresses taken from one message; an honest device has a handful. */
export const MAX_DCUTR_ADDRESSES = 16

const CONNECT = 100
const SYNC = 300

export type DcutrFrame =
  /** Where the sender is seen: multiaddrs in binary form. */
  | { readonly kind: 'connect'; readonly addresses: readonly Uint8Array[] }
  /** Dial now. */
  | { readonly kind: 'sync' }

export function encodeDcutr(frame: DcutrFrame): Uint8Array {
  return encode(
    HolePunch,
    frame.kind === 'sync' ? { type: SYNC, obsAddrs: [] } : { type: CONNECT, obsAddrs: frame.addresses.slice(0, MAX_DCUTR_ADDRESSES) },
  )
}

/** @throws SkeinError FRAME_TOO_LARGE, BAD_FRAME */
export function decodeDcutr(bytes: Uint8Array): DcutrFrame {
  if (bytes.length > MAX_DCUTR_BYTES) throw new SkeinError('FRAME_TOO_LARGE', 'A coordination message is larger than the limit.')
  const { type, obsAddrs } = decode(HolePunch, bytes)
  if (type === SYNC) return { kind: 'sync' }
  if (type === CONNECT) return { kind: 'connect', addresses: obsAddrs.slice(0, MAX_DCUTR_ADDRESSES) }
  throw new SkeinError('BAD_FRAME', 'A coordination message is of no known type.')
}
