import type { MeshView } from '@skein/node/browser'

/** Rows shown at most: the largest ones. */
const MAX_ROWS = 50

/** What is carried, by whom it is for: pieces and messages together. */
export function carriedRows({ carried }: Pick<MeshView, 'carried'>): MeshView['carried'] {
  return carried.toSorted((a, b) => b.bytes - a.bytes).slice(0, MAX_ROWS)
}
