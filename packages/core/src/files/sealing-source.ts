/** A source on plain bytes: what a platform runs, in a worker if it has one. */
import type { FilePart } from '../wire/files.ts'
import type { FileManifest } from '../wire/manifest.ts'
import { type ChunkPlan, chunkLength, isLast, planOf } from './chunk-plan.ts'
import { type ContentDigests, ContentHash, type ContentHashing } from './content-hash.ts'
import type { ByteSource, ContentSource } from './file-ports.ts'
import { InOrder } from './in-order.ts'
import { CHUNKS_PER_TURN } from './limits.ts'
import { listPlan } from './list-plan.ts'
import { type LaterSealing, sealChunk, type StreamKey } from './stream-seal.ts'

type Sealing = ContentHashing & Pick<LaterSealing, 'aesGcmSeal'>

export class SealingSource implements ContentSource {
  private readonly bytes: ByteSource
  private readonly primitives: Sealing
  private readonly plans: Record<FilePart, ChunkPlan>
  private readonly hashes: Readonly<Record<FilePart, ContentHash>>
  private readonly reads = new InOrder()

  /** @throws SkeinError FILE_TOO_LARGE */
  constructor(primitives: Sealing, manifest: FileManifest, bytes: ByteSource) {
    this.primitives = primitives
    this.bytes = bytes
    this.plans = { content: planOf(manifest), list: listPlan(manifest) }
    this.hashes = { content: new ContentHash(primitives, this.plans.content), list: new ContentHash(primitives, this.plans.list) }
  }

  async seal(part: FilePart, index: number, stream: StreamKey): Promise<Uint8Array> {
    const plan = this.plans[part]
    // What comes to the hash out of order is read once more at the end.
    const bytes = await this.reads.next(this.read(part, index))
    // Throws where it is another than before: nothing is sealed twice under one nonce but the same bytes (FI11).
    await this.hashes[part].add(index, bytes)
    const sealed = await sealChunk(this.primitives, stream, { index, last: isLast(plan, index), bytes })
    this.bytes.done?.(bytes)
    return sealed
  }

  async grow(manifest: FileManifest): Promise<void> {
    this.plans.content = planOf(manifest)
    this.hashes.content.plan = this.plans.content
    this.bytes.grow?.(manifest)
  }

  async finish(): Promise<ContentDigests> {
    const digests = await this.hashes.content.finish(
      async (index) => {
        if (index % CHUNKS_PER_TURN === 0) await this.bytes.rest?.()
        return this.read('content', index)
      },
      (chunk) => this.bytes.done?.(chunk),
    )
    await this.bytes.check()
    return digests
  }

  close(): Promise<void> {
    return this.bytes.close()
  }

  private read(part: FilePart, index: number): Promise<Uint8Array> {
    const plan = this.plans[part]
    return this.bytes.read(part, index * plan.chunkSize, chunkLength(plan, index))
  }
}
