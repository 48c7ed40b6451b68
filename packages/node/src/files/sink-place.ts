/**
 * Where the part of a transfer was begun, and where disks were mounted then that it lies on: kept in the data directory until
 * the part is gone. A folder that stays where a disk was mounted says nothing of what is on the disk.
 */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import * as z from 'zod'
import { areMounted, mountsOf } from './gone.ts'

const SinkPlace = z.object({ folder: z.string(), mounts: z.array(z.string()) })
export type SinkPlace = z.infer<typeof SinkPlace>

const SUFFIX = '.place'
export const placeName = (id: string): string => `${id}${SUFFIX}`

/** `undefined` for what was not begun, or is kept no longer; what a crash has cut off counts as none. */
export function placeAt(stateFolder: string, id: string): SinkPlace | undefined {
  try {
    return SinkPlace.parse(JSON.parse(readFileSync(join(stateFolder, placeName(id)), 'utf8')))
  } catch {
    return undefined
  }
}

/** @param folder that is there @throws NodeJS.ErrnoException */
export function keepPlace(stateFolder: string, id: string, folder: string): SinkPlace {
  const place: SinkPlace = { folder, mounts: [...mountsOf([folder])] }
  writeFileSync(join(stateFolder, placeName(id)), JSON.stringify(place), { mode: 0o600 })
  return place
}

/** Its folder, or a disk that it lay on, is not there for the moment. */
export function isOutOfReach({ folder, mounts }: SinkPlace): boolean {
  return !existsSync(folder) || !areMounted(mounts)
}

/** Transfers whose part is kept, and when it was begun, ms since 1970. */
export function begunIn(stateFolder: string): ReadonlyMap<string, number> {
  const names = existsSync(stateFolder) ? readdirSync(stateFolder).filter((name) => extname(name) === SUFFIX) : []
  const timeOf = (name: string): number => statSync(join(stateFolder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0
  return new Map(names.map((name) => [name.slice(0, -SUFFIX.length), timeOf(name)]))
}
