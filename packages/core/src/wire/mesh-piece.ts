/** Pieces of a content, any k of which make it whole. */
import { SkeinError } from '../errors/index.ts'
import { decodeCanonical, encode } from './codec.ts'
import { Piece } from './gen/mesh_pb.ts'
import { MAX_NEIGHBOUR_FRAME_BYTES } from './mesh-bundle.ts'

/** First bytes of the SHA-256 of each piece. */
export const PIECE_CHECK_BYTES = 16
/** Pieces of one set at most (ME23). */
const MAX_PIECES_IN_SET = 32

export interface PieceFields {
  /** Pieces that are needed, 1 to n. */
  readonly k: number
  /** Pieces that were made, 1 to 32. */
  readonly n: number
  /** 0 to n - 1. */
  readonly index: number
  /** Bytes of the whole. */
  readonly length: number
  /** 16 bytes for each of the n pieces. */
  readonly checks: Uint8Array
  readonly part: Uint8Array
}

/** @throws SkeinError FRAME_TOO_LARGE */
export function encodePiece(piece: PieceFields): Uint8Array {
  return encode(Piece, piece, MAX_NEIGHBOUR_FRAME_BYTES)
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodePiece(bytes: Uint8Array): PieceFields {
  const { k, n, index, length, checks, part } = decodeCanonical(Piece, bytes, MAX_NEIGHBOUR_FRAME_BYTES)
  const isSound = k >= 1 && k <= n && n <= MAX_PIECES_IN_SET && index < n && checks.length === n * PIECE_CHECK_BYTES
  if (!isSound || length > k * part.length) throw new SkeinError('BAD_FRAME', 'A piece is out of range.')
  return { k, n, index, length, checks, part }
}
