/** What comes through a pipe, kept as a file until it is sent. */
import { randomUUID } from 'node:crypto'
import { createWriteStream, mkdirSync, realpathSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { isSkeinError, SkeinError } from '@skein/core'
import { fromApiError } from '@skein/node/api'
import { type FreeBytes, Room } from '@skein/node/room'

export interface Piped {
  /** As on the command line: `-` is the pipe. */
  readonly paths: readonly string[]
  readonly from: Readable
  /** Of what comes through it. */
  readonly name: string | undefined
  /** The user has given up. */
  readonly signal: AbortSignal
  readonly freeBytes?: FreeBytes | undefined
}

/** These name a folder, or nothing. */
const NO_NAMES: readonly string[] = ['', '.', '..']

/**
 * With the path of a copy in place of `-`, which goes when what is done with it is refused.
 * @throws SkeinError FILE_UNREADABLE, DISK_FULL, USAGE
 */
export async function spooled<T>(
  dataDir: string,
  { paths, from, name = 'stdin', signal, freeBytes }: Piped,
  work: (named: readonly string[]) => Promise<T>,
): Promise<T> {
  if (paths.includes('-') && NO_NAMES.includes(name)) throw new SkeinError('USAGE', `«${name}» is no name for a file.`)
  // The client knows its copies by their real paths.
  const folder = join(realpathSync(dataDir), 'files', 'spool', randomUUID())
  const path = join(folder, name.replaceAll(/[/\\]/g, '_'))
  try {
    if (paths.includes('-')) await spool(path, { from, signal, freeBytes })
    return await work(paths.map((each) => (each === '-' ? path : resolve(each))))
  } catch (error) {
    // What failed otherwise may have been taken: the copy is needed then.
    if (isSkeinError(fromApiError(error))) rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

/** So that it can be sent again from any place. */
async function spool(path: string, { from, signal, freeBytes }: Pick<Piped, 'from' | 'signal' | 'freeBytes'>): Promise<void> {
  const folder = join(path, '..')
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    await pipeline(from, within(new Room(folder, freeBytes)), createWriteStream(path, { mode: 0o600 }), { signal })
  } catch (cause) {
    throw signal.aborted ? interrupted() : unkept(cause)
  }
  // Whoever writes into the pipe ends by the same key, and a part looks like the whole then. A signal that came before is heard last of all.
  await turn()
  if (signal.aborted) throw interrupted()
}

/** How much comes nobody knows: the disk is not filled to the brim by it. */
function within(room: Room): (from: AsyncIterable<Buffer>) => AsyncIterable<Buffer> {
  return async function* (from) {
    for await (const chunk of from) {
      room.take(chunk.length)
      yield chunk
    }
  }
}

function interrupted(): SkeinError {
  return new SkeinError('FILE_UNREADABLE', 'Interrupted before the pipe had ended: nothing was sent.')
}

function unkept(cause: unknown): SkeinError {
  const { code = '' } = cause as NodeJS.ErrnoException
  if (['ENOSPC', 'EDQUOT', 'DISK_FULL'].includes(code))
    return new SkeinError('DISK_FULL', 'There is no room to keep what comes through the pipe: nothing was sent.', { cause })
  return new SkeinError('FILE_UNREADABLE', `What comes through the pipe cannot be kept (${code}): nothing was sent.`, { cause })
}
