/** The receiver's side: asks for what is missing, opens and writes it while more comes. */
import { SkeinError } from '../errors/index.ts'
import type { MessageId } from '../ids.ts'
import type { Primitives } from '../ports/primitives.ts'
import { encodeFileFrame, type FileFrame, type FileManifest, type FilePart } from '../wire/files.ts'
import { MAX_MISSING_RUNS } from '../wire/limits.ts'
import { type ChunkPlan, chunkLength, type ChunkSet } from './chunk-plan.ts'
import { CreditGiver } from './credit.ts'
import type { ContentSink, FileLink } from './file-ports.ts'
import { CHUNK_TAG_BYTES } from './limits.ts'
import type { LinkReader } from './link-reader.ts'
import type { Pace } from './pace.ts'
import { deriveStreamKey, openRoot, type StreamKey } from './stream-seal.ts'

export interface Fetching {
  readonly link: FileLink
  readonly reader: LinkReader
  readonly primitives: Pick<Primitives, 'hkdfSha256' | 'aesGcmSeal' | 'aesGcmOpen'>
  readonly id: MessageId
  readonly part: FilePart
  readonly manifest: FileManifest
  readonly plan: ChunkPlan
  readonly sink: Pick<ContentSink, 'present' | 'write'>
  readonly pace: Pace
  /** Sealed bytes that may be on their way. */
  window(): number
  /** A chunk is there, or was there already: so many sealed bytes. */
  onChunk(sealed: number): void
}

/** What the sender said instead of sending. */
export type Refusal = Extract<FileFrame, { kind: 'outcome' }>

export type Fetched =
  /** All chunks are there; the root of a content's hash tree. */
  | { readonly kind: 'complete'; readonly root: Uint8Array }
  | { readonly kind: 'refused'; readonly outcome: Refusal }
  /** The link has closed. */
  | { readonly kind: 'cut' }

/** @throws SkeinError BAD_FRAME, SEAL_BROKEN, what `sink.write` throws */
export async function fetchPart(fetching: Fetching): Promise<Fetched> {
  for (;;) {
    const fetched = await new Request(fetching).run()
    if (fetched.kind !== 'complete' || fetching.sink.present.isFull) return fetched
  }
}

/** One request and what comes of it. */
class Request {
  private readonly on: Fetching
  private readonly credit: CreditGiver
  private readonly asked: ChunkSet
  private stream: StreamKey | undefined
  private failure: unknown
  private writes: Promise<void> = Promise.resolve()

  constructor(on: Fetching) {
    this.on = on
    this.asked = on.sink.present
    this.credit = new CreditGiver(on.window(), (bytes) => void on.link.send(encodeFileFrame({ kind: 'credit', bytes })))
  }

  async run(): Promise<Fetched> {
    const { link, id, part, sink, reader } = this.on
    const missing = sink.present.missing(MAX_MISSING_RUNS)
    const asked = await link.send(encodeFileFrame({ kind: 'request', id, part, missing, window: this.credit.window }))
    for (;;) {
      const frame = asked ? await reader.next() : undefined
      if (frame === undefined) return this.settled({ kind: 'cut' })
      if (frame.kind === 'end') return this.end(frame.root)
      if (frame.kind === 'outcome') return this.settled({ kind: 'refused', outcome: frame })
      if (!(await this.take(frame))) return this.settled({ kind: 'cut' })
    }
  }

  /** @returns false when the link has closed in the middle of a chunk */
  private async take(frame: FileFrame): Promise<boolean> {
    const { reader, part, manifest, primitives } = this.on
    if (frame.kind === 'stream' && this.stream === undefined) {
      this.stream = deriveStreamKey(primitives, manifest.key, { salt: frame.salt, part })
      return true
    }
    if (frame.kind !== 'chunk' || this.stream === undefined || !this.fits(frame)) throw unexpected()
    const sealed = await reader.take(frame.bytes)
    if (sealed === undefined) return false
    this.write(frame.index, this.stream, sealed)
    if (this.failure !== undefined) throw this.failure
    return true
  }

  private fits({ index, bytes }: { readonly index: number; readonly bytes: number }): boolean {
    const { plan } = this.on
    return index < plan.count && !this.asked.has(index) && bytes === chunkLength(plan, index) + CHUNK_TAG_BYTES
  }

  /** One after the other; credit comes back when a chunk is written, so that a slow disk slows the sender (FI12). */
  private write(index: number, stream: StreamKey, sealed: Uint8Array): void {
    const { sink, pace, link, onChunk } = this.on
    const { length } = sealed
    const written = sink.write(index, stream, sealed)
    const both = Promise.all([this.writes, written])
    this.writes = both.then(async () => {
      onChunk(length)
      await pace.pass(length)
      this.credit.release(length)
    })
    this.writes.catch((error: unknown) => {
      this.failure ??= error
      link.close()
    })
  }

  private async settled(fetched: Fetched): Promise<Fetched> {
    await this.writes
    return fetched
  }

  private async end(sealedRoot: Uint8Array): Promise<Fetched> {
    const { part, primitives, manifest } = this.on
    await this.writes
    if (part === 'list') return { kind: 'complete', root: manifest.key.subarray(0, 0) }
    const root = this.stream === undefined ? null : openRoot(primitives, this.stream, sealedRoot)
    if (root === null) throw new SkeinError('SEAL_BROKEN', 'The end of a file does not open.')
    return { kind: 'complete', root }
  }
}

function unexpected(): SkeinError {
  return new SkeinError('BAD_FRAME', 'Something came that was not asked for.')
}
