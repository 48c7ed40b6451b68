/** Names and paths that are fit anywhere in themselves, and too long for the disk or folder they are to go to. */
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import type { PlacedEntry } from '@skein/core/files'

/** Asked before anything is fetched: of the longest path and the longest name, which need not be there. @throws NodeJS.ErrnoException ENAMETOOLONG */
export function requireFit(folder: string, entries: readonly Pick<PlacedEntry, 'path'>[]): void {
  let [longest, name] = ['', '']
  for (const { path } of entries) {
    longest = longer(longest, join(...path))
    name = path.reduce(longer, name)
  }
  for (const each of [longest, name]) lstatSync(join(folder, each), { throwIfNoEntry: false })
}

function longer(one: string, other: string): string {
  return Buffer.byteLength(other) > Buffer.byteLength(one) ? other : one
}
