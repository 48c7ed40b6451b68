/**
 * Sinks that stay open from one try of a transfer to the next: to open one takes hashing all that is there (FI15). Nobody uses
 * one twice at a time.
 */
import type { FileManifest } from '../wire/manifest.ts'
import type { BulkLink, ChunkReceiver, ContentSink, FilePlatform, SinkWish } from './file-ports.ts'
import { MAX_KEPT_SINKS } from './limits.ts'

interface Kept {
  readonly sink: ContentSink
  isUsed: boolean
}

export class KeptSinks {
  private readonly platform: Pick<FilePlatform, 'openSink'>
  /** By transfer; whoever was used last is last. */
  private readonly kept = new Map<string, Kept>()

  constructor(platform: Pick<FilePlatform, 'openSink'>) {
    this.platform = platform
  }

  /** As FilePlatform.openSink. To close what it gives keeps it open for the next try. */
  async openSink(wish: SinkWish): Promise<ContentSink> {
    const known = this.kept.get(wish.id)
    if (wish.manifest.stream !== undefined) await known?.sink.grow(wish.manifest)
    const kept = known ?? { sink: await this.platform.openSink(wish), isUsed: false }
    this.kept.delete(wish.id)
    this.kept.set(wish.id, kept)
    kept.isUsed = true
    return new LentSink(kept.sink, () => this.giveBack(wish.id, kept))
  }

  /** It is closed, now or when whoever uses it gives it back. Never throws. */
  async drop(id: string): Promise<void> {
    const kept = this.kept.get(id)
    this.kept.delete(id)
    if (kept?.isUsed === false) await closed(kept.sink)
  }

  private async giveBack(id: string, kept: Kept): Promise<void> {
    kept.isUsed = false
    if (this.kept.get(id) !== kept) return closed(kept.sink)
    const idle = [...this.kept].filter(([, each]) => !each.isUsed)
    for (const [oldest] of idle.slice(0, Math.max(0, idle.length - MAX_KEPT_SINKS))) await this.drop(oldest)
  }
}

/** What thread it was in may have ended: then there is nothing to close. */
async function closed(sink: ContentSink): Promise<void> {
  await sink.close().catch(() => undefined)
}

class LentSink implements ContentSink {
  readonly present: ContentSink['present']
  readonly close: () => Promise<void>
  private readonly sink: ContentSink

  constructor(sink: ContentSink, giveBack: () => Promise<void>) {
    this.sink = sink
    this.present = sink.present
    this.close = giveBack
  }

  grow(manifest: FileManifest): Promise<void> {
    return this.sink.grow(manifest)
  }

  get moved(): number {
    return this.sink.moved
  }

  write(...chunk: Parameters<ContentSink['write']>): Promise<void> {
    return this.sink.write(...chunk)
  }

  async receiveFrom(link: BulkLink): Promise<ChunkReceiver | undefined> {
    return this.sink.receiveFrom?.(link)
  }

  finish(): ReturnType<ContentSink['finish']> {
    return this.sink.finish()
  }

  commit(): Promise<string> {
    return this.sink.commit()
  }
}
