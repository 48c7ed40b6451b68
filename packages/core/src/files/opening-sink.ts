/** A sink on plain bytes: what a platform runs, in a worker if it has one. */
import { SkeinError } from '../errors/index.ts'
import { sameBytes } from '../wire/codec.ts'
import type { FileManifest } from '../wire/manifest.ts'
import { type ChunkPlan, chunkLength, ChunkSet, isLast, planOf } from './chunk-plan.ts'
import { type ContentDigests, ContentHash, type ContentHashing } from './content-hash.ts'
import type { ByteSink, ContentSink } from './file-ports.ts'
import { LEAF_BYTES } from './hash-tree.ts'
import { InOrder } from './in-order.ts'
import { CHUNKS_PER_TURN } from './limits.ts'
import { type LaterSealing, openChunk, type StreamKey } from './stream-seal.ts'

type Sealing = ContentHashing & Pick<LaterSealing, 'aesGcmOpen'>

const NONE = new Uint8Array(LEAF_BYTES)

export class OpeningSink implements ContentSink {
  readonly present: ChunkSet
  moved = 0
  /** Of all that is known of. */
  plan: ChunkPlan
  private readonly primitives: Sealing
  private readonly bytes: ByteSink
  private readonly hash: ContentHash
  private readonly openings = new InOrder()

  private constructor(primitives: Sealing, plan: ChunkPlan, bytes: ByteSink) {
    this.primitives = primitives
    this.plan = plan
    this.bytes = bytes
    this.present = new ChunkSet(plan.count)
    this.hash = new ContentHash(primitives, plan)
  }

  /** Looks at what is there: a chunk counts if it still has the hash that was recorded (FI15). */
  static async open(primitives: Sealing, plan: ChunkPlan, bytes: ByteSink): Promise<OpeningSink> {
    const sink = new OpeningSink(primitives, plan, bytes)
    const { leaves, moved } = await bytes.recorded()
    sink.moved = moved
    for (let index = 0; index < plan.count; index += 1) {
      const leaf = leaves.subarray(index * LEAF_BYTES, (index + 1) * LEAF_BYTES)
      if (leaf.length === LEAF_BYTES && !sameBytes(leaf, NONE)) await sink.take(index, leaf)
    }
    return sink
  }

  private async take(index: number, leaf: Uint8Array): Promise<void> {
    if (index % CHUNKS_PER_TURN === 0) await this.bytes.rest?.()
    const chunk = await this.read(index)
    if (chunk.length === chunkLength(this.plan, index) && (await this.hash.addIf(index, chunk, leaf))) this.present.add(index)
    this.bytes.done?.(chunk)
  }

  async write(index: number, stream: StreamKey, sealed: Uint8Array): Promise<void> {
    const opening = openChunk(this.primitives, stream, { index, last: isLast(this.plan, index), bytes: sealed })
    // What comes to the hash out of order is read once more at the end.
    const opened = await this.openings.next(opening)
    if (opened?.length !== chunkLength(this.plan, index)) throw new SkeinError('SEAL_BROKEN', 'A chunk of a file does not open.')
    this.moved += sealed.length
    if (this.present.has(index)) return
    const leaf = await this.hash.add(index, opened)
    await this.bytes.write(index * this.plan.chunkSize, opened)
    await this.bytes.record(index, leaf, this.moved)
    this.present.add(index)
  }

  async grow(manifest: FileManifest): Promise<void> {
    await this.bytes.grow?.(manifest)
    this.plan = planOf(manifest)
    this.hash.plan = this.plan
    this.present.grow(this.plan.count)
  }

  finish(): Promise<ContentDigests> {
    const read = async (index: number): Promise<Uint8Array> => {
      if (index % CHUNKS_PER_TURN === 0) await this.bytes.rest?.()
      const chunk = await this.read(index)
      if (chunk.length === chunkLength(this.plan, index)) return chunk
      throw new SkeinError('FILE_DAMAGED', 'What was received of a file is no longer there.')
    }
    return this.hash.finish(read, (chunk) => this.bytes.done?.(chunk))
  }

  commit(): Promise<string> {
    return this.bytes.commit()
  }

  close(): Promise<void> {
    return this.bytes.close()
  }

  private read(index: number): Promise<Uint8Array> {
    return this.bytes.read(index * this.plan.chunkSize, chunkLength(this.plan, index))
  }
}
