/** The receiver's side: asks for what is missing, opens and writes it while more comes. */
import { isSkeinError, SkeinError } from '../errors/index.ts'
import type { MessageId } from '../ids.ts'
import type { Primitives } from '../ports/primitives.ts'
import { type ChunkRun, encodeFileFrame, type FileFrame, type FilePart } from '../wire/files.ts'
import type { FileManifest } from '../wire/manifest.ts'
import { MAX_MISSING_RUNS } from '../wire/limits.ts'
import { type ChunkPlan, chunkLength, indicesOf } from './chunk-plan.ts'
import { CreditGiver } from './credit.ts'
import type { ChunkReceiver, ContentSink, FileLink } from './file-ports.ts'
import { CHUNK_TAG_BYTES, ORDERED_AHEAD } from './limits.ts'
import type { LinkReader } from './link-reader.ts'
import type { Pace } from './pace.ts'
import { deriveStreamKey, openRoot, type StreamKey } from './stream-seal.ts'

export interface RawConnection {
  /** 16 bytes, by which the sender knows it. */
  readonly name: Uint8Array
  readonly frames: AsyncIterator<Uint8Array>
  /** Who takes the frames, if that is not done here. */
  readonly receiver: ChunkReceiver | undefined
  /** As of BulkLink. */
  readonly window?: number | undefined
  close(): void
}

export interface Fetching {
  readonly link: FileLink
  readonly reader: LinkReader
  /** Where chunks come instead. */
  readonly bulk?: RawConnection | undefined
  readonly primitives: Pick<Primitives, 'hkdfSha256' | 'aesGcmSeal' | 'aesGcmOpen'>
  readonly id: MessageId
  readonly part: FilePart
  readonly manifest: FileManifest
  readonly plan: ChunkPlan
  readonly sink: Pick<ContentSink, 'present' | 'write'>
  readonly pace: Pace
  /** The other side is a device of ours, which has the content and no key (FI38). */
  readonly handsKey?: boolean
  /** Sealed bytes that may be on their way. */
  window(bulk: RawConnection | undefined): number
  /** A chunk is there, or was there already: so many sealed bytes. */
  onChunk(sealed: number): void
}

/** What the sender said instead of sending. */
export type Refusal = Extract<FileFrame, { kind: 'outcome' }>

export type Fetched =
  /** All that was asked for is there, and there is more of a stream than was known of. */
  | Extract<FileFrame, { kind: 'grown' }>
  /** All that was asked for is there; the root of a content's hash tree, unless others were asked for the rest. */
  | { readonly kind: 'complete'; readonly root: Uint8Array }
  | { readonly kind: 'refused'; readonly outcome: Refusal }
  /** The link has closed. */
  | { readonly kind: 'cut' }
  /** The raw connection brought something else than was sent: somebody is on the wire. */
  | { readonly kind: 'meddled' }

export type Incomplete = Exclude<Fetched, { kind: 'complete' }>

/** What one request asks for. */
export interface Asked {
  /** Rising and apart, at most MAX_MISSING_RUNS. */
  readonly runs: readonly ChunkRun[]
  /** Others are asked for the rest. */
  readonly partial: boolean
}

/** All that is missing, in as many requests as it takes. @throws SkeinError BAD_FRAME, SEAL_BROKEN, what `sink.write` throws */
export async function fetchPart(fetching: Fetching): Promise<Fetched> {
  const { present } = fetching.sink
  for (;;) {
    const fetched = await new Request(fetching, { runs: present.missing(MAX_MISSING_RUNS), partial: false }).run()
    if (fetched.kind !== 'complete' || present.isFull) return fetched
  }
}

/** One request and what comes of it. */
export class Request {
  private readonly on: Fetching
  private readonly credit: CreditGiver
  private readonly asked: Asked
  /** What is still wanted of it, in order. */
  private readonly indices: number[]
  private isShortened = false
  private stream: StreamKey | undefined
  private failure: unknown
  private writes: Promise<void> = Promise.resolve()
  /** Resolves when all that was begun to be written has been, or has failed. */
  private quiet: Promise<unknown> = Promise.resolve()
  /** Chunks that have come on the channel, or are waited for on the raw connection. */
  private begun = 0
  /** Sealed bytes that have come: never more than there was credit for (FI12). */
  private received = 0
  /** Chunks that come on the raw connection; whether all have come. */
  private raw: Promise<boolean> | undefined
  private isMeddled = false
  /** Nothing is paced any more. */
  private readonly over = new AbortController()
  /** The raw connection has not brought everything. */
  private isCut = false

  constructor(on: Fetching, asked: Asked) {
    this.on = on
    this.asked = asked
    this.indices = [...indicesOf(asked.runs, on.plan)]
    this.credit = new CreditGiver(on.window(on.bulk), (bytes) => void on.link.send(encodeFileFrame({ kind: 'credit', bytes })))
  }

  /** Whether chunks come on a raw connection. */
  get isRaw(): boolean {
    return this.on.bulk !== undefined
  }

  /** Chunks that are asked for, those that have come among them. */
  get claimed(): readonly number[] {
    return this.indices
  }

  /** Chunks that are asked for and have not come. */
  get outstanding(): number {
    return this.indices.filter((index) => !this.on.sink.present.has(index)).length
  }

  /** Chunks at the end that the sender has not begun: it has no credit for them (FI42). */
  get spare(): number {
    return this.indices.length - this.settledCount()
  }

  /** What keeps the window small is over. */
  widen(): void {
    this.credit.widen(this.on.window(this.on.bulk))
  }

  /** How many of the first ones may have been sent. */
  private settledCount(): number {
    const { plan } = this.on
    let from = 0
    let count = 0
    for (; count < this.indices.length && from <= this.credit.granted; count += 1)
      from += chunkLength(plan, this.indices[count] ?? 0) + CHUNK_TAG_BYTES
    return Math.max(count, this.begun)
  }

  /** The last ones are not wanted any more. @param count at most `spare` @returns which they are */
  shorten(count: number): readonly number[] {
    const given = this.indices.splice(this.indices.length - Math.min(count, this.spare))
    if (given.length === 0) return given
    this.isShortened = true
    void this.on.link.send(encodeFileFrame({ kind: 'shorten', chunks: this.indices.length }))
    return given
  }

  /** Nothing of it is written any more when this is left. */
  async run(): Promise<Fetched> {
    let fetched: Fetched | undefined
    try {
      fetched = await this.exchange()
      return fetched
    } catch (error) {
      // What came raw is proven by nothing else: not the sender need have broken it.
      if (this.isMeddled || (this.raw !== undefined && isSkeinError(error, 'SEAL_BROKEN'))) return { kind: 'meddled' }
      throw error
    } finally {
      if (fetched?.kind !== 'complete') this.on.bulk?.close()
      this.over.abort()
      await Promise.allSettled([this.raw, this.writes])
      await this.quiet
    }
  }

  private async exchange(): Promise<Fetched> {
    const { link, id, part, reader, bulk, handsKey, manifest, plan } = this.on
    const key = handsKey ? manifest.key : NOTHING
    const request = {
      kind: 'request',
      id,
      part,
      missing: this.asked.runs,
      window: this.credit.granted,
      bulk: bulk?.name ?? NOTHING,
      key,
      partial: this.asked.partial,
      known: part === 'content' && manifest.stream !== undefined ? plan.size : 0,
    } as const
    const asked = await link.send(encodeFileFrame(request))
    for (;;) {
      const frame = asked ? await reader.next() : undefined
      if (frame === undefined) return this.settled({ kind: 'cut' })
      if (frame.kind === 'end' || frame.kind === 'grown') return this.end(frame)
      if (frame.kind === 'outcome') return this.settled({ kind: 'refused', outcome: frame })
      if (!(await this.take(frame))) return this.settled({ kind: 'cut' })
    }
  }

  /** @returns false when the link has closed in the middle of a chunk */
  private async take(frame: FileFrame): Promise<boolean> {
    const { reader, part, manifest, primitives, bulk } = this.on
    if (frame.kind === 'stream' && this.stream === undefined) {
      this.stream = deriveStreamKey(primitives, manifest.key, { salt: frame.salt, part })
      if (bulk !== undefined)
        this.raw = bulk.receiver === undefined ? this.readRaw(bulk.frames, this.stream) : this.receiveRaw(bulk.receiver, this.stream)
      return true
    }
    if (frame.kind !== 'chunk' || this.stream === undefined || this.raw !== undefined) throw unexpected()
    // In the order of the request: another one may be on its way from somebody else.
    if (frame.index !== this.indices[this.begun] || !this.fits(frame)) throw unexpected()
    this.begun += 1
    const sealed = await reader.take(frame.bytes)
    if (sealed === undefined) return false
    if (!this.hasCredit(sealed)) throw unexpected()
    this.write(frame.index, this.stream, sealed)
    if (this.failure !== undefined) throw this.failure
    return true
  }

  private hasCredit({ length }: Uint8Array): boolean {
    this.received += length
    return this.received <= this.credit.granted
  }

  /** In the order of the request. @returns whether all came */
  private async readRaw(frames: AsyncIterator<Uint8Array>, stream: StreamKey): Promise<boolean> {
    for (const index of this.indices) {
      this.begun += 1
      const { value, done } = await frames.next()
      const sealed = value as Uint8Array
      this.isMeddled = !done && !(this.fits({ index, bytes: sealed.length }) && this.hasCredit(sealed))
      if (done || this.isMeddled || this.failure !== undefined) {
        this.on.link.close()
        return false
      }
      this.write(index, stream, sealed)
    }
    return true
  }

  /** A few chunks are waited for at once, so that no word between two threads is. @returns whether all came */
  private async receiveRaw(receiver: ChunkReceiver, stream: StreamKey): Promise<boolean> {
    const underWay: Promise<boolean>[] = []
    for (const index of this.indices) {
      this.begun += 1
      underWay.push(this.receiveOne(receiver, index, stream))
      if (underWay.length >= ORDERED_AHEAD && !(await underWay.shift())) break
    }
    const all = (await Promise.all(underWay)).every(Boolean)
    return all && this.failure === undefined && !this.isCut
  }

  private async receiveOne(receiver: ChunkReceiver, index: number, stream: StreamKey): Promise<boolean> {
    const { plan, onChunk, pace, link } = this.on
    try {
      const outcome = await receiver.receive(index, stream)
      if (outcome === 'written') {
        const sealed = chunkLength(plan, index) + CHUNK_TAG_BYTES
        onChunk(sealed)
        await pace.pass(sealed, this.over.signal)
        this.credit.release(sealed)
        return true
      }
      this.isMeddled ||= outcome === 'unfit'
    } catch (error) {
      this.failure ??= error
    }
    this.isCut = true
    // Others that wait for a frame are told as well.
    this.on.bulk?.close()
    link.close()
    return false
  }

  private fits({ index, bytes }: { readonly index: number; readonly bytes: number }): boolean {
    const { plan, sink } = this.on
    return index < plan.count && !sink.present.has(index) && bytes === chunkLength(plan, index) + CHUNK_TAG_BYTES
  }

  /** One after the other; credit comes back when a chunk is written, so that a slow disk slows the sender (FI12). */
  private write(index: number, stream: StreamKey, sealed: Uint8Array): void {
    const { sink, pace, link, onChunk } = this.on
    const { length } = sealed
    const written = sink.write(index, stream, sealed)
    this.quiet = Promise.allSettled([this.quiet, written])
    const both = Promise.all([this.writes, written])
    this.writes = both.then(async () => {
      onChunk(length)
      await pace.pass(length, this.over.signal)
      this.credit.release(length)
    })
    this.writes.catch((error: unknown) => {
      this.failure ??= error
      link.close()
    })
  }

  /** It has ended: what is written then is not waited for longer than it takes. */
  hurry(): void {
    this.over.abort()
  }

  private async settled(fetched: Fetched): Promise<Fetched> {
    this.hurry()
    this.on.bulk?.close()
    await Promise.all([this.raw, this.writes])
    if (this.failure !== undefined) throw this.failure
    return this.isMeddled ? { kind: 'meddled' } : fetched
  }

  private async end(frame: Extract<FileFrame, { kind: 'end' | 'grown' }>): Promise<Fetched> {
    const { primitives } = this.on
    if ((await this.raw) === false) return this.settled({ kind: 'cut' })
    await this.writes
    if (this.outstanding > 0) throw unexpected()
    if (frame.kind === 'grown') return frame
    if (!this.wantsRoot) return { kind: 'complete', root: NOTHING }
    const root = this.stream === undefined ? null : openRoot(primitives, this.stream, frame.root)
    if (root === null) throw new SkeinError('SEAL_BROKEN', 'The end of a file does not open.')
    return { kind: 'complete', root }
  }

  private get wantsRoot(): boolean {
    return this.on.part === 'content' && !this.asked.partial && !this.isShortened
  }
}

const NOTHING = new Uint8Array()

function unexpected(): SkeinError {
  return new SkeinError('BAD_FRAME', 'Something came that was not asked for.')
}
