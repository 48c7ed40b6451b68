/** Names of a folder as they are listed: what cannot stand in a list, as a backslash does not, gets another name there. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { numberedName } from '@skein/core/files'

const UNFIT = /[\\]/g

/** By name in the list, in order; the same names are always listed alike. */
export function listedNames(names: readonly string[]): ReadonlyMap<string, string> {
  const sorted = [...names].sort()
  const listed = new Map(sorted.filter((name) => name.search(UNFIT) < 0).map((name) => [name, name]))
  for (const name of sorted) {
    if (name.search(UNFIT) < 0) continue
    const fit = name.replaceAll(UNFIT, '_')
    let count = 1
    while (listed.has(numberedName(fit, count))) count += 1
    listed.set(numberedName(fit, count), name)
  }
  return listed
}

/** Where what is listed as `segments` below `root` is on the disk; `undefined` when it is not there. @throws NodeJS.ErrnoException */
export function pathOfListed(root: string, segments: readonly string[]): string | undefined {
  let path = root
  for (const segment of segments) {
    const name = existsSync(join(path, segment)) ? segment : listedNames(readdirSync(path)).get(segment)
    if (name === undefined) return undefined
    path = join(path, name)
  }
  return path
}
