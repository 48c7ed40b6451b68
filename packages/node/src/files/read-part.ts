/** Parts of what was received, for a page whose client runs in another program. */
import { open } from 'node:fs/promises'
import { SkeinError } from '@skein/core'

/** Bytes of a part: in base64 it fits an answer of the API. */
const PART_BYTES = 131_072

export interface ReceivedPart {
  /** Where it lies. */
  readonly path: string
  /** Of the whole, as it was received: another file is there if it has more or fewer. */
  readonly total: number
  readonly offset: number
}

/** @returns the bytes from `offset` on, none behind the end @throws SkeinError FILE_UNREADABLE when what was received is there no longer */
export async function readPart({ path, total, offset }: ReceivedPart): Promise<Uint8Array> {
  try {
    await using file = await open(path)
    const stats = await file.stat()
    if (!stats.isFile() || stats.size !== total) throw new Error('it is another file')
    const part = new Uint8Array(Math.max(0, Math.min(PART_BYTES, total - offset)))
    const { bytesRead } = await file.read(part, 0, part.length, offset)
    return part.subarray(0, bytesRead)
  } catch (cause) {
    throw new SkeinError('FILE_UNREADABLE', 'What was received is not there any more.', { cause })
  }
}
