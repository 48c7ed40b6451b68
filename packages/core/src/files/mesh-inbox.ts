/** What comes by the mesh of one part of one transfer: slices become chunks, chunks are opened and written. */
import { isSkeinError } from '../errors/index.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { FilePart } from '../wire/files.ts'
import { type Cargo, MAX_SLICE_BYTES } from '../wire/mesh-cargo.ts'
import { type ChunkPlan, chunkLength } from './chunk-plan.ts'
import type { ContentSink } from './file-ports.ts'
import { CHUNK_TAG_BYTES, MAX_HALF_CHUNKS } from './limits.ts'
import { deriveStreamKey, openRoot, type StreamKey } from './stream-seal.ts'

type Slice = Extract<Cargo, { kind: 'slice' }>
type End = Extract<Cargo, { kind: 'end' }>

export interface InboxDeps {
  readonly primitives: Pick<Primitives, 'hkdfSha256' | 'aesGcmSeal' | 'aesGcmOpen'>
  /** Of the file, 32 bytes. */
  readonly key: Uint8Array
  readonly part: FilePart
  readonly plan: ChunkPlan
  readonly sink: Pick<ContentSink, 'present' | 'write'>
  /** A chunk is there: so many sealed bytes. */
  onChunk(sealed: number): void
  onChange(): void
}

interface HalfChunk {
  readonly bytes: Uint8Array
  readonly offsets: Set<number>
}

export class MeshInbox {
  /** Of the content's hash tree, once the sender has said it. */
  root: Uint8Array | undefined
  /** Nothing more can be written. */
  failure: unknown
  private readonly deps: InboxDeps
  private readonly halves = new Map<string, HalfChunk>()
  /** Of the last opening of the source at the sender. */
  private stream: { readonly salt: string; readonly key: StreamKey } | undefined
  private writes: Promise<unknown> = Promise.resolve()

  constructor(deps: InboxDeps) {
    this.deps = deps
  }

  get isComplete(): boolean {
    const { sink, part } = this.deps
    return sink.present.isFull && (part === 'list' || this.root !== undefined)
  }

  /** @returns whether it was of use, or is here already; then the sender need not send it again */
  async take(cargo: Slice | End): Promise<boolean> {
    const { part } = this.deps
    const taken = cargo.kind === 'end' ? part === 'content' && this.end(cargo) : await this.slice(cargo)
    this.deps.onChange()
    return taken
  }

  private end({ salt, root }: End): boolean {
    const opened = openRoot(this.deps.primitives, this.streamOf(salt), root)
    this.root ??= opened ?? undefined
    return opened !== null
  }

  private async slice({ part, salt, index, offset, bytes }: Slice): Promise<boolean> {
    const { plan, sink } = this.deps
    if (part !== this.deps.part) return part === 'list'
    if (index >= plan.count) return false
    if (sink.present.has(index)) return true
    const length = chunkLength(plan, index) + CHUNK_TAG_BYTES
    if (bytes.length === 0 || bytes.length !== Math.min(MAX_SLICE_BYTES, length - offset)) return false
    const whole = this.join({ name: `${salt.join()} ${index}`, length }, { offset, bytes })
    return whole === undefined || this.write(index, salt, whole)
  }

  /** @returns the sealed chunk when nothing of it is missing any more */
  private join(
    { name, length }: { readonly name: string; readonly length: number },
    { offset, bytes }: { readonly offset: number; readonly bytes: Uint8Array },
  ): Uint8Array | undefined {
    if (bytes.length === length) return bytes
    const half = this.halves.get(name) ?? { bytes: new Uint8Array(length), offsets: new Set() }
    this.halves.delete(name)
    half.bytes.set(bytes, offset)
    half.offsets.add(offset)
    if (half.offsets.size === Math.ceil(length / MAX_SLICE_BYTES)) return half.bytes
    this.halves.set(name, half)
    const [first] = this.halves.keys()
    if (this.halves.size > MAX_HALF_CHUNKS && first !== undefined) this.halves.delete(first)
    return undefined
  }

  /** One after the other. */
  private write(index: number, salt: Uint8Array, sealed: Uint8Array): Promise<boolean> {
    const written = this.writes.then(() => this.writeNow(index, salt, sealed))
    this.writes = written
    return written
  }

  private async writeNow(index: number, salt: Uint8Array, sealed: Uint8Array): Promise<boolean> {
    const { sink } = this.deps
    if (sink.present.has(index)) return true
    if (this.failure !== undefined) return false
    try {
      await sink.write(index, this.streamOf(salt), sealed)
    } catch (error) {
      // What does not open is no part of the file, whoever made it; others may come that are.
      if (!isSkeinError(error, 'SEAL_BROKEN')) this.failure = error
      return false
    }
    this.deps.onChunk(sealed.length)
    return true
  }

  private streamOf(bytes: Uint8Array): StreamKey {
    const salt = bytes.join()
    if (this.stream?.salt !== salt) {
      const { primitives, key, part } = this.deps
      this.stream = { salt, key: deriveStreamKey(primitives, key, { salt: bytes, part }) }
    }
    return this.stream.key
  }
}
