/** Removes what a crash has left beside the database: records, lists and copies of transfers that there are no more. */
import { readdirSync, rmSync, statSync } from 'node:fs'
import { extname, join } from 'node:path'
import { LEFT_OVER_MS } from './constants.ts'

export interface Kept {
  /** Of transfers that are received. */
  readonly ids: ReadonlySet<string>
  /** Names of lists. */
  readonly lists: ReadonlySet<string>
  /** Folders of copies that are sent. */
  readonly copies: ReadonlySet<string>
}

/** What is younger may belong to something that is just being offered. @param now milliseconds since 1970 */
export function tidy(stateFolder: string, spoolFolder: string, { kept, now }: { readonly kept: Kept; readonly now: number }): void {
  const isOurs: Readonly<Record<string, (name: string) => boolean>> = {
    '.have': (name) => !kept.ids.has(stemOf(name)),
    '.final': (name) => !kept.ids.has(stemOf(name)),
    '.entries': (name) => !kept.ids.has(stemOf(name)),
    // What was just being written.
    '.part': () => true,
    '.list': (name) => !kept.lists.has(name),
  }
  removeOld(stateFolder, now, (name) => isOurs[extname(name)]?.(name) ?? false)
  removeOld(spoolFolder, now, (name) => !kept.copies.has(join(spoolFolder, name)))
}

const stemOf = (name: string): string => name.slice(0, -extname(name).length)

function removeOld(folder: string, now: number, isUnknown: (name: string) => boolean): void {
  for (const name of namesIn(folder).filter(isUnknown)) removeIfOld(join(folder, name), now)
}

function removeIfOld(path: string, now: number): void {
  try {
    if (now - newestIn(path, now) > LEFT_OVER_MS) rmSync(path, { recursive: true, force: true })
  } catch {
    // Somebody else's, or in use: looked at again the next day, and what lies beside it is removed all the same.
  }
}

/** Somebody may be writing to a file deep in a folder. */
function newestIn(path: string, now: number): number {
  const stats = statSync(path, { throwIfNoEntry: false })
  const below = stats?.isDirectory() === true ? readdirSync(path).map((name) => newestIn(join(path, name), now)) : []
  return Math.max(stats?.mtimeMs ?? now, ...below)
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
