/** Which chunks of a content are fetched from whom: each from one source at a time (FI41). */
import type { ChunkRun } from '../wire/files.ts'
import { MAX_MISSING_RUNS } from '../wire/limits.ts'
import type { ChunkSet } from './chunk-plan.ts'

/** What a source has to do, and how fast it does it. */
export interface Load {
  /** Chunks it could be spared. */
  readonly spare: number
  /** Bytes a second; 0 while that is not known. */
  readonly rate: number
}

export class ChunkShares {
  private readonly present: ChunkSet
  private readonly asked: Uint8Array
  private askedCount = 0
  /** No chunk before this one is free. */
  private from = 0

  constructor(present: ChunkSet) {
    this.present = present
    this.asked = new Uint8Array(Math.ceil(present.count / 8))
  }

  get isDone(): boolean {
    return this.present.isFull
  }

  /** Whether somebody is asked for something that is not there yet. */
  get isAsked(): boolean {
    return this.askedCount > 0
  }

  /** The first chunks that are neither there nor asked for, at most so many; they are asked for from now on. */
  take(most: number): readonly ChunkRun[] {
    const runs: [number, number][] = []
    let taken = 0
    for (let index = this.from; index < this.present.count && taken < most; index += 1) {
      if (this.present.has(index) || this.isOut(index)) continue
      const run = runs.at(-1)
      if (run !== undefined && run[0] + run[1] === index) run[1] += 1
      else if (runs.length === MAX_MISSING_RUNS) break
      else runs.push([index, 1])
      this.set(index, true)
      this.from = index + 1
      taken += 1
    }
    return runs
  }

  /** Nobody is asked for these any more. */
  release(indices: Iterable<number>): void {
    for (const index of indices) {
      if (!this.isOut(index)) continue
      this.set(index, false)
      if (!this.present.has(index)) this.from = Math.min(this.from, index)
    }
  }

  private isOut(index: number): boolean {
    return ((this.asked[index >> 3] ?? 0) & (1 << (index & 7))) !== 0
  }

  private set(index: number, isAsked: boolean): void {
    this.asked[index >> 3] = (this.asked[index >> 3] ?? 0) ^ (1 << (index & 7))
    this.askedCount += isAsked ? 1 : -1
  }
}

/**
 * Chunks that pass from a source that is at work to one that has nothing to do, so that both end at the same time.
 * @param rate bytes a second of the idle one; 0: taken for as fast as the other
 */
export function passOn({ spare, rate }: Load, idle: number): number {
  const share = rate === 0 || idle === 0 ? 0.5 : idle / (idle + rate)
  return spare === 0 ? 0 : Math.max(1, Math.round(spare * share))
}
