/** `/skein/notice/1`: what a relay tells who is connected to it. */
import { SkeinError } from '../errors/index.ts'
import { decode, encode } from './codec.ts'
import { RelayNotice } from './gen/notice_pb.ts'

/** Largest notice, bytes. */
export const MAX_NOTICE_BYTES = 64
/** Longest time that a relay may announce, ms. */
const MAX_LEAVING_MS = 600_000

/** @param leavingWithinMs until circuits end, 1 to 600,000 */
export function encodeNotice({ leavingWithinMs }: { readonly leavingWithinMs: number }): Uint8Array {
  return encode(RelayNotice, { leavingWithinMs }, MAX_NOTICE_BYTES)
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeNotice(bytes: Uint8Array): { readonly leavingWithinMs: number } {
  const { leavingWithinMs } = decode(RelayNotice, bytes, MAX_NOTICE_BYTES)
  if (leavingWithinMs === 0 || leavingWithinMs > MAX_LEAVING_MS) throw new SkeinError('BAD_FRAME', 'A relay gives notice of nothing.')
  return { leavingWithinMs }
}
