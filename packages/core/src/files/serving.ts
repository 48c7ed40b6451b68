/** Serves what others fetch from us, on one link. */
import { isSkeinError, SkeinError } from '../errors/index.ts'
import type { AccountId, MessageId } from '../ids.ts'
import type { Logger } from '../ports/logger.ts'
import { sameBytes } from '../wire/codec.ts'
import { encodeFileFrame, type FileFrame } from '../wire/files.ts'
import { type ChunkPlan, chunkLength, indicesOf, planOf } from './chunk-plan.ts'
import { Credit } from './credit.ts'
import type { BulkLink, FileLink } from './file-ports.ts'
import { CHUNK_TAG_BYTES } from './limits.ts'
import { LinkReader } from './link-reader.ts'
import { listPlan } from './list-plan.ts'
import type { Pace } from './pace.ts'
import type { SharedSource } from './shared-source.ts'
import { streamChunks, type Streaming, type Wanted } from './streaming.ts'
import { isFinal, type Live } from './transfer-book.ts'

type Asked = Extract<FileFrame, { kind: 'request' }>
export type Outcome = Extract<FileFrame, { kind: 'outcome' }>

export interface ServingDeps {
  readonly logger: Logger
  readonly pace: Pace
  /** What this device may fetch; an outcome where it may not, or not now. */
  lookUp(asked: Asked): Promise<Live | Outcome>
  /** The raw connection that a request names. */
  claim(name: Uint8Array): Promise<BulkLink | undefined>
  withSource<T>(live: Live, work: (source: SharedSource, isShared: () => boolean) => Promise<T>): Promise<T>
  onServing(live: Live, link: FileLink): Promise<void>
  /** Until the transfer changes, or `signal` aborts. */
  changed(live: Live, signal: AbortSignal): Promise<void>
  onSent(live: Live, bytes: number): void
  /** The link has closed. */
  onServed(live: Live, link: FileLink): Promise<void>
  /** It cannot be sent. @returns whether that is for good, and the other side is to know */
  onBroken(live: Live, error: SkeinError): Promise<boolean>
  /** @returns whether what it is about is known here */
  onOutcome(outcome: Outcome): Promise<boolean>
  onOffence(code: string): void
}

/** What a request has come to. */
interface Granted {
  readonly plan: ChunkPlan
  readonly indices: readonly number[]
  readonly credit: Credit
  readonly wanted: Wanted
}

interface Opened {
  readonly source: SharedSource
  isShared(): boolean
}

/** What was offered to an account, where it may be fetched now; to anybody else it does not exist (FI4). */
export function offeredTo(account: AccountId, id: MessageId, live: Live | undefined): Live | Outcome {
  const said = { kind: 'outcome', id, code: '', digest: new Uint8Array() } as const
  if (live?.stored.contact !== account) return { ...said, state: 'failed', code: 'TRANSFER_UNKNOWN' }
  const { state, reason } = live.stored
  if (state === 'paused' || state === 'cancelled') return { ...said, state }
  // What is no code, or of this disk, is a word for the user here.
  const isForThem = /^[A-Z_]+$/.test(reason ?? '') && reason !== 'FILE_UNREADABLE'
  return state === 'failed' ? { ...said, state, code: isForThem ? (reason ?? '') : '' } : live
}

/** Until the link closes. Never throws. */
export async function serveLink(deps: ServingDeps, link: FileLink): Promise<void> {
  const session = new Session(deps, link)
  try {
    await session.run()
  } catch (error) {
    const code = isSkeinError(error) ? error.code : 'BAD_FRAME'
    deps.logger.warn('file-link-failed', { code, reason: String(error) })
    if (code === 'BAD_FRAME' || code === 'FRAME_TOO_LARGE') deps.onOffence(code)
  } finally {
    link.close()
    await session.end().catch((error: unknown) => deps.logger.warn('file-link-failed', { reason: String(error) }))
  }
}

class Session {
  private readonly deps: ServingDeps
  private readonly link: FileLink
  private credit: Credit | undefined
  /** Of the request that is under way, or of the last one. */
  private wanted: Wanted = { chunks: 0 }
  /** Stays for further requests on this link that name it. */
  private bulk: BulkLink | undefined
  private bulkName: Uint8Array = new Uint8Array()
  /** What has been asked for on this link. */
  private readonly served = new Set<Live>()
  private readonly over = new AbortController()

  constructor(deps: ServingDeps, link: FileLink) {
    this.deps = deps
    this.link = link
  }

  async run(): Promise<void> {
    const reader = new LinkReader(this.link)
    for (let frame = await reader.next(); frame !== undefined; frame = await reader.next()) await this.take(frame)
  }

  async end(): Promise<void> {
    this.over.abort()
    this.credit?.close()
    this.bulk?.close()
    for (const live of this.served) await this.deps.onServed(live, this.link)
  }

  private async take(frame: FileFrame): Promise<void> {
    if (frame.kind === 'credit') return this.credit?.grant(frame.bytes)
    if (frame.kind === 'shorten') return this.shorten(frame.chunks)
    if (frame.kind === 'request' && this.credit === undefined) return this.answer(frame)
    if (frame.kind !== 'outcome') throw new SkeinError('BAD_FRAME', 'A frame about a file comes out of turn.')
    if (!(await this.deps.onOutcome(frame))) return this.link.close()
    await this.link.send(encodeFileFrame({ kind: 'receipt', id: frame.id }))
  }

  private shorten(chunks: number): void {
    this.wanted.chunks = Math.min(this.wanted.chunks, chunks)
  }

  private async answer(asked: Asked): Promise<void> {
    const found = await this.deps.lookUp(asked)
    if ('kind' in found) return void (await this.link.send(encodeFileFrame(found)))
    const plan = asked.part === 'content' ? planOf(found.manifest) : listPlan(found.manifest)
    const indices = [...indicesOf(asked.missing, plan)]
    const credit = new Credit(asked.window)
    const wanted = { chunks: indices.length }
    Object.assign(this, { credit, wanted })
    this.served.add(found)
    await this.deps.onServing(found, this.link)
    // Not awaited: credit comes on the same link meanwhile.
    void this.stream(found, asked, { plan, indices, credit, wanted })
  }

  private async stream(live: Live, asked: Asked, granted: Granted): Promise<void> {
    const { deps, link } = this
    const { bulk } = asked
    const { credit } = granted
    try {
      if (bulk.length > 0 && !sameBytes(bulk, this.bulkName)) await this.claim(bulk)
      // It may have come when the link was closed.
      if (this.over.signal.aborted) return this.bulk?.close()
      // The other side tries without it.
      if (bulk.length > 0 && this.bulk === undefined) return link.close()
      await deps.withSource(live, async (source, isShared) => {
        const streaming = await this.streamingOf(live, asked, { ...granted, source, isShared })
        if (!(await streamChunks(streaming))) return link.close()
        const last = await this.lastOf(live, asked, { ...granted, source })
        if (last === undefined) return link.close()
        // The next request may come as soon as this is there.
        this.credit = undefined
        await link.send(encodeFileFrame(last))
      })
    } catch (error) {
      await this.breakOff(live, error)
    } finally {
      if (this.credit === credit) this.credit = undefined
    }
  }

  private async claim(name: Uint8Array): Promise<void> {
    this.bulk?.close()
    this.bulk = await this.deps.claim(name)
    this.bulkName = name
  }

  /** What is said when all that was asked for is sent: of a stream, once there is more (FI70); nothing where it is over before. */
  private async lastOf(
    live: Live,
    { part, partial, known }: Asked,
    { indices, wanted, source }: Granted & Pick<Opened, 'source'>,
  ): Promise<FileFrame | undefined> {
    // It takes reading all of the content.
    if (part === 'list' || partial || wanted.chunks < indices.length) return { kind: 'end', root: new Uint8Array() }
    while (live.manifest.stream === 'growing' && live.manifest.size <= known) {
      if (this.over.signal.aborted || isFinal(live.stored)) return undefined
      await this.deps.changed(live, this.over.signal)
    }
    const { stream, size } = live.manifest
    if (stream !== undefined && size > known) return { kind: 'grown', size, ended: stream === 'ended' }
    const root = await source.sealedRoot()
    live.sha256 = (await source.finish()).sha256
    return { kind: 'end', root }
  }

  private async streamingOf(live: Live, { part, bulk }: Asked, granted: Granted & Opened): Promise<Streaming> {
    const { deps, link } = this
    const { plan, indices, credit, wanted, source, isShared } = granted
    const raw = bulk.length > 0 ? this.bulk : undefined
    return {
      link,
      bulk: raw,
      sender: raw === undefined ? undefined : await source.sendOver(raw),
      credit,
      pace: deps.pace,
      signal: this.over.signal,
      part,
      salt: source.salts[part],
      indices: indices.values(),
      wanted,
      chunk: (index) => source.chunk(part, index, isShared()),
      sealedLength: (index) => chunkLength(plan, index) + CHUNK_TAG_BYTES,
      order: (index) => source.order(part, index, isShared()),
      onSent: (bytes) => deps.onSent(live, bytes),
    }
  }

  private async breakOff(live: Live, error: unknown): Promise<void> {
    const { deps, link } = this
    deps.logger.warn('file-not-sent', { reason: String(error) })
    const own = brokenBy(live, error)
    const isOver = await deps.onBroken(live, own).catch(() => false)
    if (isOver) await link.send(encodeFileFrame(brokenOutcome(live, own)))
    link.close()
  }
}

function brokenBy({ manifest }: Live, error: unknown): SkeinError {
  if (!isSkeinError(error)) return new SkeinError('FILE_UNREADABLE', 'The file cannot be read.', { cause: error })
  // Of what still comes there is nothing that could be offered anew.
  const isLost = manifest.stream === 'growing' && error.code === 'FILE_CHANGED'
  return isLost ? new SkeinError('PIPE_BROKEN', 'The copy of what comes was changed or removed.', { cause: error }) : error
}

/** What one device of the recipient has whole, and is here no longer, has not failed: of a single file that device gives it (FI39). */
function brokenOutcome({ stored: { id, state }, manifest }: Live, { code }: SkeinError): Outcome {
  const said = { kind: 'outcome', id, digest: new Uint8Array() } as const
  if (state === 'done' && manifest.folder === undefined) return { ...said, state: 'done', code: '' }
  return { ...said, state: 'failed', code: state === 'done' && code === 'FILE_UNREADABLE' ? 'TRANSFER_UNKNOWN' : code }
}
