/** Fetches the list of a folder, before its content (FI3). */
import type { Primitives } from '../ports/primitives.ts'
import { fetchPart, type Incomplete } from './fetching.ts'
import { requireOffered } from './from-mail.ts'
import { WINDOW_BYTES } from './limits.ts'
import { listPlan } from './list-plan.ts'
import { ListSink } from './list-sink.ts'
import type { Pace } from './pace.ts'
import type { Source } from './source-lane.ts'
import type { Live, TransferBook } from './transfer-book.ts'

export interface ListFetchDeps {
  readonly primitives: Primitives
  readonly transfers: TransferBook
  readonly pace: Pace
}

/** `undefined` for a file. @throws SkeinError FILE_DAMAGED when it is another than the manifest says */
export async function fetchList(
  { primitives, transfers, pace }: ListFetchDeps,
  live: Live,
  { link, reader }: Source,
): Promise<Uint8Array | undefined | Incomplete> {
  const { manifest, stored } = live
  if (manifest.folder === undefined) return undefined
  const plan = listPlan(manifest)
  const sink = new ListSink(primitives, plan)
  const onChunk = (sealed: number): void => transfers.progress(live, { moved: live.stored.moved + sealed })
  const common = { link, reader, primitives, id: stored.id, manifest, pace }
  const fetched = await fetchPart({ ...common, part: 'list', plan, sink, window: () => WINDOW_BYTES, onChunk })
  if (fetched.kind !== 'complete') return fetched
  requireOffered(primitives, manifest.folder, sink.bytes)
  return sink.bytes
}
