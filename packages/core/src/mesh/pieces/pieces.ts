/** Cuts a bundle's content into pieces of which any k make it whole, and puts it together again. */
import { SkeinError } from '../../errors/index.ts'
import type { Primitives, Random } from '../../ports/index.ts'
import { sameBytes } from '../../wire/codec.ts'
import { decodePiece, encodePiece, PIECE_CHECK_BYTES, type PieceFields } from '../../wire/mesh-piece.ts'
import { transform, untransform } from './all-or-nothing.ts'
import type { ErasureCode } from './erasure-code.ts'

export interface PieceTools {
  readonly primitives: Pick<Primitives, 'sha256' | 'aeadSeal' | 'aeadOpen'>
  readonly random: Random
  readonly code: ErasureCode
}

/** Shortest piece: whoever lacks one cannot guess it. */
const MIN_PIECE_BYTES = 32

/** @returns n encoded pieces @throws RangeError unless 1 ≤ k ≤ n ≤ 32 */
export function cutPieces(
  content: Uint8Array,
  { k, n }: { readonly k: number; readonly n: number },
  tools: PieceTools,
): readonly Uint8Array[] {
  const whole = transform(content, tools.primitives, tools.random)
  const size = Math.max(MIN_PIECE_BYTES, Math.ceil(whole.length / k))
  const padded = new Uint8Array(size * k)
  padded.set(whole)
  const data = Array.from({ length: k }, (_, at) => padded.subarray(at * size, (at + 1) * size))
  const parts = [...data, ...(n > k ? tools.code.parity(data, n) : [])]
  const checks = checksOf(parts, tools.primitives)
  return parts.map((part, index) => encodePiece({ k, n, index, length: whole.length, checks, part }))
}

/** Which pieces belong together: the hash of what they all say of each other. */
export function pieceSet({ k, n, length, checks }: PieceFields, { sha256 }: Pick<Primitives, 'sha256'>): string {
  return sha256(encodePiece({ k, n, index: 0, length, checks, part: new Uint8Array() })).join()
}

/** A piece that is what its set says of it. @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function openPiece(bytes: Uint8Array, primitives: Pick<Primitives, 'sha256'>): PieceFields {
  const piece = decodePiece(bytes)
  const own = piece.checks.subarray(piece.index * PIECE_CHECK_BYTES, (piece.index + 1) * PIECE_CHECK_BYTES)
  if (!sameBytes(own, checkOf(piece.part, primitives))) throw new SkeinError('BAD_FRAME', 'A piece is not the one that its set names.')
  return piece
}

/** The content, from k or more pieces of one set; `undefined` from fewer, or from pieces that were never one content. */
export function joinPieces(pieces: readonly PieceFields[], { primitives, code }: Omit<PieceTools, 'random'>): Uint8Array | undefined {
  const [first] = pieces
  if (first === undefined) return undefined
  const { k, n, length } = first
  const shards: (Uint8Array | undefined)[] = Array.from({ length: n }, () => undefined)
  for (const { index, part } of pieces) shards[index] = part
  const data = restored(shards, { k, n, code })
  if (data === undefined) return undefined
  const whole = new Uint8Array(data.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of data) {
    whole.set(part, at)
    at += part.length
  }
  return untransform(whole.subarray(0, length), primitives)
}

function restored(
  shards: readonly (Uint8Array | undefined)[],
  { k, n, code }: { readonly k: number; readonly n: number; readonly code: ErasureCode },
): readonly Uint8Array[] | undefined {
  const data = shards.slice(0, k).filter((part) => part !== undefined)
  if (data.length === k) return data
  return n > k ? code.restore(shards, k) : undefined
}

function checksOf(parts: readonly Uint8Array[], primitives: Pick<Primitives, 'sha256'>): Uint8Array {
  const checks = new Uint8Array(parts.length * PIECE_CHECK_BYTES)
  for (const [index, part] of parts.entries()) checks.set(checkOf(part, primitives), index * PIECE_CHECK_BYTES)
  return checks
}

function checkOf(part: Uint8Array, { sha256 }: Pick<Primitives, 'sha256'>): Uint8Array {
  return sha256(part).subarray(0, PIECE_CHECK_BYTES)
}
