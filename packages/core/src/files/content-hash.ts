/** Hashes content whose chunks come in any order: the tree, and SHA-256 of the whole as other programs compute it. */
import { SkeinError } from '../errors/index.ts'
import type { HashStream, Primitives } from '../ports/primitives.ts'
import { sameBytes } from '../wire/codec.ts'
import type { ChunkPlan } from './chunk-plan.ts'
import { leafHash, rootOf } from './hash-tree.ts'
import { InOrder } from './in-order.ts'

export interface ContentDigests {
  /** Of the hash tree, 32 bytes. */
  readonly root: Uint8Array
  /** Of the whole, 32 bytes. */
  readonly sha256: Uint8Array
}

export interface ContentHashing extends Pick<Primitives, 'sha256' | 'sha256Stream'> {
  /** Hash of one chunk in the tree, where something does it beside this thread. */
  readonly leafLater?: (chunk: Uint8Array) => Promise<Uint8Array>
}

export class ContentHash {
  /** Of all that is known of. */
  plan: ChunkPlan
  private readonly hashing: ContentHashing
  private readonly leaves: (Uint8Array | undefined)[]
  private readonly whole: HashStream
  /** The chunk that the hash of the whole takes next. */
  private next = 0
  private digests: Promise<ContentDigests> | undefined
  private readonly hashings = new InOrder()

  constructor(hashing: ContentHashing, plan: ChunkPlan) {
    this.hashing = hashing
    this.plan = plan
    this.leaves = Array.from({ length: plan.count }, () => undefined)
    this.whole = hashing.sha256Stream()
  }

  /** In the order of the calls. @returns its hash in the tree @throws SkeinError FILE_CHANGED when another chunk was under this index before */
  add(index: number, chunk: Uint8Array): Promise<Uint8Array> {
    return this.hashings.next(this.leafOf(chunk)).then((leaf) => this.take(index, chunk, leaf))
  }

  /** Takes a chunk if it has this hash in the tree. @returns whether it has */
  async addIf(index: number, chunk: Uint8Array, leaf: Uint8Array): Promise<boolean> {
    if (!sameBytes(await this.leafOf(chunk), leaf)) return false
    this.keep(index, chunk, leaf.slice())
    return true
  }

  private async leafOf(chunk: Uint8Array): Promise<Uint8Array> {
    return this.hashing.leafLater?.(chunk) ?? leafHash(this.hashing, chunk)
  }

  private take(index: number, chunk: Uint8Array, leaf: Uint8Array): Uint8Array {
    const known = this.leaves[index]
    if (known !== undefined && !sameBytes(known, leaf)) throw changed()
    this.keep(index, chunk, leaf)
    return leaf
  }

  private keep(index: number, chunk: Uint8Array, leaf: Uint8Array): void {
    this.leaves[index] = leaf
    if (index !== this.next) return
    this.whole.update(chunk)
    this.next += 1
  }

  /** Reads what did not come in order once more. @param done with what was read @throws SkeinError FILE_CHANGED when a chunk is another than before; what `read` throws */
  finish(read: (index: number) => Promise<Uint8Array>, done?: (chunk: Uint8Array) => void): Promise<ContentDigests> {
    this.digests ??= this.finishNow(read, done)
    return this.digests
  }

  private async finishNow(
    read: (index: number) => Promise<Uint8Array>,
    done: ((chunk: Uint8Array) => void) | undefined,
  ): Promise<ContentDigests> {
    while (this.next < this.plan.count) {
      const chunk = await read(this.next)
      await this.add(this.next, chunk)
      done?.(chunk)
    }
    const leaves = this.leaves.map((leaf) => leaf ?? new Uint8Array())
    return { root: rootOf(this.hashing, leaves), sha256: this.whole.digest() }
  }
}

function changed(): SkeinError {
  return new SkeinError('FILE_CHANGED', 'The file was changed while it was sent. Send it again when nothing writes to it any more.')
}
