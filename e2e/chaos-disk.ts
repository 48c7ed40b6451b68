/** A disk that is really full: a small file system of its own below a client's folder. Only where this process may mount one. */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Room for the database of a client, its log and what it does in a few minutes. */
const SIZE = '48m'
const PART = new Uint8Array(1_048_576)

export class SmallDisk implements Disposable {
  private readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  /** @returns undefined where nothing may be mounted */
  static mount(folder: string): SmallDisk | undefined {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const done = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=0700`, 'tmpfs', folder])
    return done.status === 0 ? new SmallDisk(folder) : undefined
  }

  /** Not a byte of room is left. */
  fill(): void {
    const file = openSync(join(this.folder, 'filler'), 'w')
    try {
      for (let part = PART; part.length > 0; ) {
        try {
          writeSync(file, part)
        } catch {
          part = part.subarray(0, part.length >> 1)
        }
      }
    } finally {
      closeSync(file)
    }
  }

  empty(): void {
    rmSync(join(this.folder, 'filler'), { force: true })
  }

  [Symbol.dispose](): void {
    spawnSync('umount', ['-l', this.folder])
  }
}
