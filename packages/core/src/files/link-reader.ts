/** Reads a link: control frames, and the bytes that follow those of a chunk. */
import { SkeinError } from '../errors/index.ts'
import { decodeFileFrame, type FileFrame } from '../wire/files.ts'
import type { FileLink } from './file-ports.ts'

export class LinkReader {
  private readonly frames: AsyncIterator<Uint8Array>

  constructor(link: Pick<FileLink, 'frames'>) {
    this.frames = link.frames()[Symbol.asyncIterator]()
  }

  /** `undefined` at the end. @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
  async next(): Promise<FileFrame | undefined> {
    const { value, done } = await this.frames.next()
    return done ? undefined : decodeFileFrame(value as Uint8Array)
  }

  /** Exactly `length` bytes, however the sender cut them; `undefined` when the link ends before. @throws SkeinError BAD_FRAME */
  async take(length: number): Promise<Uint8Array | undefined> {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; ) {
      const { value, done } = await this.frames.next()
      if (done) return undefined
      const part = value as Uint8Array
      if (at + part.length > length) throw new SkeinError('BAD_FRAME', 'A chunk is longer than was said.')
      bytes.set(part, at)
      at += part.length
    }
    return bytes
  }
}
