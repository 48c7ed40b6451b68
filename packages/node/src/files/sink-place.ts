/**
 * Where the part of a transfer was begun, and where disks were mounted then that it lies on: kept in the data directory until
 * the part is gone. A folder that stays where a disk was mounted says nothing of what is on the disk.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { extname, join } from 'node:path'
import * as z from 'zod'
import { replaceFile } from '../store/durable-file.ts'
import { areMounted, mountsOf } from './gone.ts'

const SinkPlace = z.object({ folder: z.string(), mounts: z.array(z.string()) })
export type SinkPlace = z.infer<typeof SinkPlace>

const SUFFIX = '.place'
export const placeName = (id: string): string => `${id}${SUFFIX}`
const RECORD = '.have'
export const recordName = (id: string): string => `${id}${RECORD}`

/** @param folder where it is put: of what has a record and no note, as before there were notes; empty where nobody knows */
export function begunAt(stateFolder: string, id: string, folder: string): SinkPlace | undefined {
  const isUnnoted = folder !== '' && existsSync(join(stateFolder, recordName(id)))
  return placeAt(stateFolder, id) ?? (isUnnoted ? { folder, mounts: [] } : undefined)
}

/** `undefined` for what was not begun, or is kept no longer; what cannot be read counts as none. */
export function placeAt(stateFolder: string, id: string): SinkPlace | undefined {
  try {
    return SinkPlace.parse(JSON.parse(readFileSync(join(stateFolder, placeName(id)), 'utf8')))
  } catch {
    return undefined
  }
}

/** Where it was noted to be; `undefined` where that is to be noted. */
export function placeToGoOn(stateFolder: string, id: string, folder: string): SinkPlace | undefined | 'away' {
  const noted = placeAt(stateFolder, id)
  // A folder that is known to lie on no other disk was removed, and is made anew.
  if (noted !== undefined) return areMounted(noted.mounts) ? noted : 'away'
  const begun = begunAt(stateFolder, id, folder)
  return begun !== undefined && isOutOfReach(begun) ? 'away' : undefined
}

/** @param folder that is there @throws NodeJS.ErrnoException */
export function keepPlace(stateFolder: string, id: string, folder: string): SinkPlace {
  const place: SinkPlace = { folder, mounts: [...mountsOf([folder])] }
  replaceFile(join(stateFolder, placeName(id)), JSON.stringify(place))
  return place
}

/** Its folder, or a disk that it lay on, is not there for the moment. */
export function isOutOfReach({ folder, mounts }: SinkPlace): boolean {
  return !existsSync(folder) || !areMounted(mounts)
}

/** Transfers whose part is kept, and when it was begun, ms since 1970. */
export function begunIn(stateFolder: string): ReadonlyMap<string, number> {
  const all = existsSync(stateFolder) ? readdirSync(stateFolder) : []
  const timeOf = (name: string): number => statSync(join(stateFolder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0
  const begun = (suffix: string) =>
    all.filter((name) => extname(name) === suffix).map((name) => [name.slice(0, -suffix.length), timeOf(name)] as const)
  return new Map([...begun(RECORD), ...begun(SUFFIX)])
}
