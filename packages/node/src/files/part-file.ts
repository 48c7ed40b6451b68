/** A file that is being received. Runs in the worker. */
import { closeSync, constants, fdatasync, fstatSync, ftruncateSync, openSync, write, writeSync } from 'node:fs'
import { SYNC_EVERY_BYTES } from './constants.ts'

const { O_RDWR, O_CREAT, O_NOFOLLOW = 0 } = constants
/** From here on, in bytes, it is written by a thread of the system's pool, and the next chunk is opened and hashed meanwhile. */
const LARGE_PART_BYTES = 131_072
const ZEROS = Buffer.alloc(65_536)

export class PartFile {
  readonly fd: number
  /** Its size: nothing was ever written from here on. */
  private end: number
  private dirty = 0
  private working = 0
  private isSyncing = false
  private isLeft = false

  private readonly onSync: (sync: Promise<void>) => void
  private readonly onClosed: () => void

  /** @param onSync told of each time it is put on the disk @throws NodeJS.ErrnoException */
  constructor(path: string, onSync: (sync: Promise<void>) => void, onClosed: () => void = () => undefined) {
    this.onSync = onSync
    this.onClosed = onClosed
    this.fd = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600)
    this.end = fstatSync(this.fd).size
  }

  /** @throws NodeJS.ErrnoException */
  async write(bytes: Uint8Array, offset: number): Promise<void> {
    if (offset >= this.end && bytes.length >= LARGE_PART_BYTES && isZero(bytes)) return this.leaveHole(offset + bytes.length)
    this.end = Math.max(this.end, offset + bytes.length)
    if (bytes.length < LARGE_PART_BYTES) writeAll(this.fd, bytes, offset)
    else await this.beside(() => writeBeside(this.fd, bytes, offset))
    this.dirty += bytes.length
    // One that was left is closed by now, perhaps, and is put on the disk when all is finished.
    if (this.dirty >= SYNC_EVERY_BYTES && !this.isSyncing && !this.isLeft) this.onSync(this.sync())
  }

  /** Somebody uses it again before it was closed. */
  take(): this {
    this.isLeft = false
    return this
  }

  /** Closed when nothing is under way any more. */
  leave(): void {
    this.isLeft = true
    this.closeIfIdle()
  }

  /** What was never written reads as zeros. */
  private leaveHole(end: number): void {
    ftruncateSync(this.fd, end)
    this.end = end
  }

  /** Not waited for at once; but the system tells of an error once, so that it must not be lost. */
  private async sync(): Promise<void> {
    this.dirty = 0
    this.isSyncing = true
    await this.beside(() => new Promise((resolve, reject) => fdatasync(this.fd, (error) => (error === null ? resolve() : reject(error)))))
    this.isSyncing = false
  }

  private async beside(work: () => Promise<void>): Promise<void> {
    this.working += 1
    try {
      await work()
    } finally {
      this.working -= 1
      this.closeIfIdle()
    }
  }

  private closeIfIdle(): void {
    if (!this.isLeft || this.working > 0) return
    closeSync(this.fd)
    this.onClosed()
  }
}

export function writeAll(fd: number, bytes: Uint8Array, offset: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, offset + at)
}

async function writeBeside(fd: number, bytes: Uint8Array, offset: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += await new Promise<number>((resolve, reject) => {
      write(fd, bytes, at, bytes.length - at, offset + at, (error, count) => (error === null ? resolve(count) : reject(error)))
    })
  }
}

function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const piece = bytes.subarray(at, at + ZEROS.length)
    if (ZEROS.compare(piece, 0, piece.length, 0, piece.length) !== 0) return false
  }
  return true
}
