import type { Primitives } from '../../ports/index.ts'
import type { PieceFields } from '../../wire/mesh-piece.ts'
import type { ErasureCode } from './erasure-code.ts'
import { joinPieces, openPiece, pieceSet } from './pieces.ts'

/** Sets that are being collected at once (ME23); the longest untouched goes first. */
export const MAX_SETS = 64
/** Bytes of all of them (ME23). */
export const MAX_COLLECTED_BYTES = 8 * 1_048_576

export interface CollectorDeps {
  readonly primitives: Pick<Primitives, 'sha256' | 'aeadSeal' | 'aeadOpen'>
  readonly code: ErasureCode
}

/** Collects pieces until a content is whole. */
export class PieceCollector {
  private readonly deps: CollectorDeps
  private readonly sets = new Map<string, Map<number, PieceFields>>()
  private bytes = 0

  constructor(deps: CollectorDeps) {
    this.deps = deps
  }

  get usedBytes(): number {
    return this.bytes
  }

  /** Takes an encoded piece; returns the content with the piece that makes it whole. @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
  add(bytes: Uint8Array): Uint8Array | undefined {
    const piece = openPiece(bytes, this.deps.primitives)
    const name = pieceSet(piece, this.deps.primitives)
    const pieces = this.sets.get(name) ?? new Map<number, PieceFields>()
    if (!pieces.has(piece.index)) this.bytes += piece.part.length
    pieces.set(piece.index, piece)
    this.sets.delete(name)
    this.sets.set(name, pieces)
    this.bound()
    if (pieces.size < piece.k) return undefined
    this.drop(name)
    return joinPieces([...pieces.values()], this.deps)
  }

  private bound(): void {
    for (const name of this.sets.keys()) {
      if (this.sets.size <= MAX_SETS && this.bytes <= MAX_COLLECTED_BYTES) return
      this.drop(name)
    }
  }

  private drop(name: string): void {
    for (const { part } of this.sets.get(name)?.values() ?? []) this.bytes -= part.length
    this.sets.delete(name)
  }
}
