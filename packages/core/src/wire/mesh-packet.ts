/** Packets on links that are too narrow for whole frames. */
import { SkeinError } from '../errors/index.ts'
import { atMost, decode, encode } from './codec.ts'
import { LinkPacket } from './gen/mesh_pb.ts'

/** Most fragments of one frame (ME17): a chunk bundle of 256 KiB in parts of 64 bytes and more. */
export const MAX_FRAGMENTS = 4_608
/** Missing fragments named in one packet (ME17). */
export const MAX_MISSING = 64
/** Bytes of a packet that are not part of the frame. */
export const FRAGMENT_OVERHEAD_BYTES = 18

export type LinkPacketFields =
  | { readonly kind: 'fragment'; readonly frame: number; readonly index: number; readonly count: number; readonly part: Uint8Array }
  | { readonly kind: 'status'; readonly frame: number; readonly missing: readonly number[] }

/** @throws SkeinError FRAME_TOO_LARGE */
export function encodeLinkPacket(packet: LinkPacketFields): Uint8Array {
  if (packet.kind === 'fragment') return encode(LinkPacket, { body: { $case: 'fragment', value: packet } })
  return encode(LinkPacket, { body: { $case: 'status', value: { frame: packet.frame, missing: [...packet.missing] } } })
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeLinkPacket(bytes: Uint8Array): LinkPacketFields {
  const { body } = decode(LinkPacket, bytes)
  if (body === undefined) throw new SkeinError('BAD_FRAME', 'A packet is of an unknown kind.')
  if (body.$case === 'status') return { kind: 'status', frame: body.value.frame, missing: atMost(body.value.missing, MAX_MISSING) }
  const { frame, index, count, part } = body.value
  if (count < 1 || count > MAX_FRAGMENTS || index >= count) throw new SkeinError('BAD_FRAME', 'A fragment is out of range.')
  return { kind: 'fragment', frame, index, count, part }
}
