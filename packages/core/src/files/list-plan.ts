import { SkeinError } from '../errors/index.ts'
import type { FileManifest } from '../wire/manifest.ts'
import { MAX_FOLDER_ENTRIES, MAX_LIST_BYTES } from '../wire/limits.ts'
import { type ChunkPlan, chunkSizeFor, planOf } from './chunk-plan.ts'

/** How the list of a folder's entries is cut. @throws SkeinError BAD_FRAME when it is said to be larger than the limit */
export function listPlan({ folder }: Pick<FileManifest, 'folder'>): ChunkPlan {
  const size = folder?.listBytes ?? 0
  if (size > MAX_LIST_BYTES || (folder?.entries ?? 0) > MAX_FOLDER_ENTRIES)
    throw new SkeinError('BAD_FRAME', 'A folder lists more than the limit.')
  return planOf({ size, chunkSize: chunkSizeFor(size) })
}
