/** How content is cut, and which chunks are there. */
import { SkeinError } from '../errors/index.ts'
import type { ChunkRun } from '../wire/files.ts'
import type { FileManifest } from '../wire/manifest.ts'
import { LARGE_CHUNK_BYTES, LARGE_CONTENT_BYTES, MAX_CONTENT_BYTES, SMALL_CHUNK_BYTES } from './limits.ts'

/** Content of `size` bytes in chunks of `chunkSize`; the last one may be shorter. */
export interface ChunkPlan {
  readonly size: number
  readonly chunkSize: number
  /** 0 for empty content. */
  readonly count: number
  /** More comes: none of these chunks is the last. */
  readonly grows?: boolean
}

/** @returns bytes of a chunk for content of `size` bytes */
export function chunkSizeFor(size: number): number {
  return size <= LARGE_CONTENT_BYTES ? SMALL_CHUNK_BYTES : LARGE_CHUNK_BYTES
}

/** @throws SkeinError FILE_TOO_LARGE, BAD_FRAME for a chunk size that this size does not have (FI8), or a stream of parts of chunks (FI70) */
export function planOf({ size, chunkSize, stream }: Pick<FileManifest, 'size' | 'chunkSize' | 'stream'>): ChunkPlan {
  if (size > MAX_CONTENT_BYTES) throw new SkeinError('FILE_TOO_LARGE', 'This is larger than 1 TiB, the most that is sent at once.')
  const grows = stream === 'growing'
  if (chunkSize !== (stream === undefined ? chunkSizeFor(size) : LARGE_CHUNK_BYTES) || (grows && size % chunkSize !== 0))
    throw new SkeinError('BAD_FRAME', 'A manifest cuts its content into chunks of another size.')
  return { size, chunkSize, count: Math.ceil(size / chunkSize), grows }
}

/** So much of a stream that grows can be told of when `bytes` have come: a chunk is only once it is known not to be the last. */
export function sizeSoFar(bytes: number): number {
  return Math.max(0, Math.ceil(bytes / LARGE_CHUNK_BYTES) - 1) * LARGE_CHUNK_BYTES
}

/** Of a stream of which `bytes` have come, at its offer; its copy has no time of its own. */
export function streamSizes(
  bytes: number,
  stream: FileManifest['stream'],
): Pick<FileManifest, 'size' | 'chunkSize' | 'modifiedAt' | 'stream'> {
  return { size: sizeSoFar(bytes), chunkSize: LARGE_CHUNK_BYTES, modifiedAt: 0, stream }
}

/** A manifest of which more is known. @throws SkeinError BAD_FRAME when it is less, or goes on after its end; as `planOf` */
export function grownTo(manifest: FileManifest, { size, ended }: { readonly size: number; readonly ended: boolean }): FileManifest {
  if (manifest.stream !== 'growing' || size <= manifest.size) throw new SkeinError('BAD_FRAME', 'A stream does not grow.')
  const grown = { ...manifest, size, stream: ended ? 'ended' : 'growing' } as const
  planOf(grown)
  return grown
}

/** Bytes of one chunk. @param index 0 to count − 1 */
export function chunkLength({ size, chunkSize }: ChunkPlan, index: number): number {
  return Math.min(chunkSize, size - index * chunkSize)
}

export function isLast({ count, grows }: ChunkPlan, index: number): boolean {
  return index === count - 1 && !grows
}

/** Which chunks are there; one bit each. */
export class ChunkSet {
  count: number
  private bits: Uint8Array
  private present = 0

  constructor(count: number) {
    this.count = count
    this.bits = new Uint8Array(Math.ceil(count / 8))
  }

  /** There are so many chunks by now. */
  grow(count: number): void {
    const bits = new Uint8Array(Math.ceil(count / 8))
    bits.set(this.bits)
    Object.assign(this, { count, bits })
  }

  has(index: number): boolean {
    return ((this.bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0
  }

  add(index: number): void {
    if (index < 0 || index >= this.count || this.has(index)) return
    this.bits[index >> 3] = (this.bits[index >> 3] ?? 0) | (1 << (index & 7))
    this.present += 1
  }

  get size(): number {
    return this.present
  }

  get isFull(): boolean {
    return this.present === this.count
  }

  /** The first `most` runs of chunks that are not there. */
  missing(most: number): ChunkRun[] {
    const runs: [number, number][] = []
    for (let index = 0; index < this.count; index += 1) {
      if (this.has(index)) continue
      const run = runs.at(-1)
      if (run !== undefined && run[0] + run[1] === index) run[1] += 1
      else if (runs.length === most) return runs
      else runs.push([index, 1])
    }
    return runs
  }
}

/** Bytes of the content in the chunks that are there. */
export function presentBytes(plan: ChunkPlan, set: ChunkSet): number {
  if (plan.count === 0) return 0
  const last = plan.count - 1
  const whole = set.size * plan.chunkSize
  return set.has(last) ? whole - plan.chunkSize + chunkLength(plan, last) : whole
}

/** The indices of runs, in order; stops at the first that is not in the plan. @throws SkeinError BAD_FRAME */
export function* indicesOf(runs: readonly ChunkRun[], { count }: ChunkPlan): Generator<number> {
  for (const [first, length] of runs) {
    if (first + length > count) throw new SkeinError('BAD_FRAME', 'A chunk is asked for that there is not.')
    for (let index = first; index < first + length; index += 1) yield index
  }
}
