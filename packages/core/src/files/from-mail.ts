/** Puts what has come by mail where it is wanted (FI34): opened and verified like what is fetched. */
import { SkeinError } from '../errors/index.ts'
import type { Primitives } from '../ports/primitives.ts'
import { sameBytes } from '../wire/codec.ts'
import type { FilePart } from '../wire/files.ts'
import type { FileManifest, FolderSummary } from '../wire/manifest.ts'
import { planOf, presentBytes } from './chunk-plan.ts'
import type { ContentSink, FilePlatform } from './file-ports.ts'
import { listPlan } from './list-plan.ts'
import { ListSink } from './list-sink.ts'
import type { Sealing } from './mailed-pieces.ts'
import { deriveStreamKey, openRoot, type StreamKey } from './stream-seal.ts'
import type { Live, TransferBook } from './transfer-book.ts'

export interface FromMailDeps {
  readonly primitives: Primitives
  readonly sinks: Pick<FilePlatform, 'openSink'>
  readonly transfers: TransferBook
  /** Everything is there: to be verified and put under its name. @param root as the sender says */
  complete(sink: ContentSink, root: Uint8Array): Promise<void>
}

/** @throws SkeinError SEAL_BROKEN, FILE_DAMAGED, DISK_FULL, what `complete` throws */
export async function writeMailed(deps: FromMailDeps, live: Live, mailed: Sealing): Promise<void> {
  const { primitives, sinks } = deps
  const { manifest, stored } = live
  const streamOf = (part: FilePart): StreamKey => deriveStreamKey(primitives, manifest.key, { salt: mailed.salts[part], part })
  const list = await listOf(primitives, manifest, { mailed, stream: streamOf('list') })
  const root = openRoot(primitives, streamOf('content'), mailed.root)
  if (root === null) throw new SkeinError('SEAL_BROKEN', 'The end of a mailed file does not open.')
  const sink = await sinks.openSink({ id: stored.id, manifest, list, folder: stored.place })
  try {
    await writeChunks(deps, live, { sink, stream: streamOf('content'), chunks: mailed.chunks.content })
    await deps.complete(sink, root)
  } finally {
    await sink.close()
  }
}

interface Chunks {
  readonly sink: ContentSink
  readonly stream: StreamKey
  readonly chunks: readonly Uint8Array[]
}

async function writeChunks({ transfers }: FromMailDeps, live: Live, { sink, stream, chunks }: Chunks): Promise<void> {
  const plan = planOf(live.manifest)
  for (const [index, sealed] of chunks.entries()) {
    if (sink.present.has(index)) continue
    await sink.write(index, stream, sealed)
    transfers.progress(live, { moved: live.stored.moved + sealed.length, bytes: presentBytes(plan, sink.present) })
  }
}

async function listOf(
  primitives: Primitives,
  manifest: FileManifest,
  { mailed, stream }: { readonly mailed: Sealing; readonly stream: StreamKey },
): Promise<Uint8Array | undefined> {
  if (manifest.folder === undefined) return undefined
  const sink = new ListSink(primitives, listPlan(manifest))
  for (const [index, sealed] of mailed.chunks.list.entries()) await sink.write(index, stream, sealed)
  requireOffered(primitives, manifest.folder, sink.bytes)
  return sink.bytes
}

/** @throws SkeinError FILE_DAMAGED when the list is another than the manifest says */
export function requireOffered(primitives: Pick<Primitives, 'sha256'>, folder: FolderSummary, list: Uint8Array): void {
  if (!isOffered(primitives, folder, list)) throw new SkeinError('FILE_DAMAGED', 'The list of a folder is not the one that was offered.')
}

export function isOffered({ sha256 }: Pick<Primitives, 'sha256'>, { listDigest }: FolderSummary, list: Uint8Array): boolean {
  return sameBytes(sha256(list), listDigest)
}
