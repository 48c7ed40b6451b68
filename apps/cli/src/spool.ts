/** What comes through a pipe, kept as a file until it is sent. */
import { randomUUID } from 'node:crypto'
import { createWriteStream, mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { SkeinError } from '@skein/core'

export interface Piped {
  /** As on the command line: `-` is the pipe. */
  readonly paths: readonly string[]
  /** Of what comes through it. */
  readonly name: string | undefined
  /** The user has given up. */
  readonly signal: AbortSignal
}

/** With the path of a copy in place of `-`, which goes when what is done with it fails. @throws SkeinError FILE_UNREADABLE, DISK_FULL */
export async function spooled<T>(
  dataDir: string,
  { paths, name = 'stdin', signal }: Piped,
  work: (named: readonly string[]) => Promise<T>,
): Promise<T> {
  const folder = join(resolve(dataDir), 'files', 'spool', randomUUID())
  try {
    const copy = paths.includes('-') ? await spool(join(folder, name.replaceAll(/[/\\]/g, '_')), signal) : ''
    return await work(paths.map((path) => (path === '-' ? copy : resolve(path))))
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

/** So that it can be sent again from any place. @returns its path */
async function spool(path: string, signal: AbortSignal): Promise<string> {
  try {
    mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 })
    await pipeline(process.stdin, createWriteStream(path, { mode: 0o600 }), { signal })
  } catch (cause) {
    throw signal.aborted ? interrupted() : unkept(cause)
  }
  // Whoever writes into the pipe ends by the same key, and a part looks like the whole then.
  if (signal.aborted) throw interrupted()
  return path
}

function interrupted(): SkeinError {
  return new SkeinError('FILE_UNREADABLE', 'Interrupted before the pipe had ended: nothing was sent.')
}

function unkept(cause: unknown): SkeinError {
  const { code = '' } = cause as NodeJS.ErrnoException
  if (['ENOSPC', 'EDQUOT'].includes(code))
    return new SkeinError('DISK_FULL', 'There is no room to keep what comes through the pipe: nothing was sent.', { cause })
  return new SkeinError('FILE_UNREADABLE', `What comes through the pipe cannot be kept (${code}): nothing was sent.`, { cause })
}
