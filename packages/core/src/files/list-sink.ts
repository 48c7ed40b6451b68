/** Keeps the list of a folder in memory: at most MAX_LIST_BYTES. */
import { SkeinError } from '../errors/index.ts'
import type { Primitives } from '../ports/primitives.ts'
import { type ChunkPlan, chunkLength, ChunkSet, isLast } from './chunk-plan.ts'
import type { ContentSink } from './file-ports.ts'
import { openChunk, type StreamKey } from './stream-seal.ts'

export class ListSink implements Pick<ContentSink, 'present' | 'write'> {
  readonly present: ChunkSet
  readonly bytes: Uint8Array
  private readonly primitives: Pick<Primitives, 'aesGcmSeal' | 'aesGcmOpen'>
  private readonly plan: ChunkPlan

  constructor(primitives: Pick<Primitives, 'aesGcmSeal' | 'aesGcmOpen'>, plan: ChunkPlan) {
    this.primitives = primitives
    this.plan = plan
    this.present = new ChunkSet(plan.count)
    this.bytes = new Uint8Array(plan.size)
  }

  /** @throws SkeinError SEAL_BROKEN */
  async write(index: number, stream: StreamKey, sealed: Uint8Array): Promise<void> {
    const opened = openChunk(this.primitives, stream, { index, last: isLast(this.plan, index), bytes: sealed })
    if (opened?.length !== chunkLength(this.plan, index)) throw new SkeinError('SEAL_BROKEN', 'The list of a folder does not open.')
    this.bytes.set(opened, index * this.plan.chunkSize)
    this.present.add(index)
  }
}
