import type { Primitives } from '../../ports/index.ts'
import type { PieceFields } from '../../wire/mesh-piece.ts'
import type { ErasureCode } from './erasure-code.ts'
import { joinPieces, openPiece, pieceSet } from './pieces.ts'

/** Sets that are being collected at once (ME23); the longest untouched goes first. */
export const MAX_SETS = 64
/** Bytes of all of them (ME23). */
export const MAX_COLLECTED_BYTES = 8 * 1_048_576

/** What a piece counts beside its bytes when sources are compared: many small sets are a burden too. */
const SET_COST_BYTES = MAX_COLLECTED_BYTES / MAX_SETS

export interface CollectorDeps {
  readonly primitives: Pick<Primitives, 'sha256' | 'aeadSeal' | 'aeadOpen'>
  readonly code: ErasureCode
  /** A set has gone before it was whole. @param keys of its pieces, as they were added */
  dropped?(keys: readonly string[]): void
}

/** Where a piece comes from, and what it is called there. */
export interface PieceOrigin {
  readonly source: string
  readonly key: string
}

interface PieceSet {
  readonly pieces: Map<number, PieceFields>
  readonly keys: Set<string>
  /** Who brought the first piece. */
  readonly source: string
}

/** Collects pieces until a content is whole. Of whoever has most sets the longest untouched goes first: one flooder drives out itself. */
export class PieceCollector {
  private readonly deps: CollectorDeps
  private readonly sets = new Map<string, PieceSet>()
  private bytes = 0

  constructor(deps: CollectorDeps) {
    this.deps = deps
  }

  get usedBytes(): number {
    return this.bytes
  }

  /** Takes an encoded piece; returns the content with the piece that makes it whole. @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
  add(bytes: Uint8Array, { source, key }: PieceOrigin = { source: '', key: '' }): Uint8Array | undefined {
    const piece = openPiece(bytes, this.deps.primitives)
    const name = pieceSet(piece, this.deps.primitives)
    const set = this.sets.get(name) ?? { pieces: new Map<number, PieceFields>(), keys: new Set<string>(), source }
    if (!set.pieces.has(piece.index)) this.bytes += piece.part.length
    set.pieces.set(piece.index, piece)
    set.keys.add(key)
    this.sets.delete(name)
    this.sets.set(name, set)
    if (set.pieces.size < piece.k) {
      this.bound()
      return undefined
    }
    this.drop(name)
    return joinPieces([...set.pieces.values()], this.deps)
  }

  private bound(): void {
    while (this.sets.size > MAX_SETS || this.bytes > MAX_COLLECTED_BYTES) {
      const name = this.oldestOf(this.busiest())
      const keys = [...(this.sets.get(name)?.keys ?? [])]
      this.drop(name)
      this.deps.dropped?.(keys)
    }
  }

  /** Whoever has most bytes here. */
  private busiest(): string {
    const bytes = new Map<string, number>()
    for (const { source, pieces } of this.sets.values())
      bytes.set(
        source,
        [...pieces.values()].reduce((sum, { part }) => sum + part.length + SET_COST_BYTES, bytes.get(source) ?? 0),
      )
    return [...bytes].reduce((most, each) => (each[1] > most[1] ? each : most))[0]
  }

  private oldestOf(source: string): string {
    for (const [name, set] of this.sets) if (set.source === source) return name
    return ''
  }

  private drop(name: string): void {
    for (const { part } of this.sets.get(name)?.pieces.values() ?? []) this.bytes -= part.length
    this.sets.delete(name)
  }
}
