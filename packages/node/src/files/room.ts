/** Room on a disk, looked at while something grows there: a disk that fills up stops other programs too. */
import { statfsSync } from 'node:fs'
import { RESERVE_BYTES, SYNC_EVERY_BYTES } from './constants.ts'
import { diskFull } from './explain.ts'

/** Bytes that may be written where a folder is. */
export type FreeBytes = (folder: string) => number

function freeOn(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

export class Room {
  private readonly folder: string
  private readonly freeBytes: FreeBytes
  /** Written since it was looked at. */
  private unlooked = 0

  /** @param folder that is there */
  constructor(folder: string, freeBytes: FreeBytes = freeOn) {
    this.folder = folder
    this.freeBytes = freeBytes
  }

  /** @param bytes that are to come @throws SkeinError DISK_FULL where they would leave too little for everything else */
  require(bytes: number): void {
    if (this.freeBytes(this.folder) < bytes + RESERVE_BYTES) throw diskFull()
    this.unlooked = 0
  }

  /** Before so many more are written: others write to the same disk. @throws as `require` */
  take(bytes: number): void {
    this.unlooked += bytes
    if (this.unlooked >= SYNC_EVERY_BYTES) this.require(0)
  }
}
