/** What the worker says about a sink. */
import { ChunkSet } from '@skein/core/files'

export interface OpenedSink {
  readonly handle: number
  /** Indices of chunks that are there: first and count in turns. */
  readonly missing: readonly (readonly [number, number])[]
  readonly moved: number
}

/** What is there, from what is not. */
export function presentOf(count: number, missing: OpenedSink['missing']): ChunkSet {
  const present = new ChunkSet(count)
  let at = 0
  for (const [first, length] of [...missing, [count, 0] as const]) {
    for (; at < first; at += 1) present.add(at)
    at = first + length
  }
  return present
}
