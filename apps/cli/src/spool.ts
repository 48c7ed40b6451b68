/** What comes through a pipe: kept as a file, and sent from there, while it still comes where it is more than a little (FI70). */
import { randomUUID } from 'node:crypto'
import { mkdirSync, realpathSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { isSkeinError, SkeinError } from '@skein/core'
import { LARGE_CHUNK_BYTES } from '@skein/core/files'
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

/** Who sends what has come. */
export interface Sending<T> {
  /** All of it is there. @param named paths, with that of the copy in place of `-` */
  whole(named: readonly string[]): Promise<T>
  /** More is there than goes with one message, and more is to come. @param path of the copy */
  growing(path: string): Promise<Growing<T>>
}

export interface Growing<T> {
  /** Aborts, with an error, when nobody is to get it any more. */
  readonly signal: AbortSignal
  /** So many bytes are there. Never throws. */
  grown(bytes: number): void
  /** That was all. @throws SkeinError */
  ended(bytes: number): Promise<T>
}

/** These name a folder, or nothing. */
const NO_NAMES: readonly string[] = ['', '.', '..']

/**
 * The copy goes when it is refused, or was not sent; of what is sent, the client removes it.
 * @throws SkeinError FILE_UNREADABLE, PIPE_BROKEN, DISK_FULL, USAGE
 */
export async function spooled<T>(dataDir: string, piped: Piped, sending: Sending<T>): Promise<T> {
  const { paths, name = 'stdin' } = piped
  if (!paths.includes('-')) return sending.whole(paths.map((each) => resolve(each)))
  if (NO_NAMES.includes(name)) throw new SkeinError('USAGE', `«${name}» is no name for a file.`)
  // The client knows its copies by their real paths.
  const folder = join(realpathSync(dataDir), 'files', 'spool', randomUUID())
  const path = join(folder, name.replaceAll(/[/\\]/g, '_'))
  try {
    // A list of several has all sizes in it.
    const growing = await spool(path, piped, paths.length === 1 ? sending : undefined)
    return await (growing?.() ?? sending.whole(paths.map((each) => (each === '-' ? path : resolve(each)))))
  } catch (error) {
    // What failed otherwise may have been taken: the copy is needed then.
    if (isSkeinError(fromApiError(error))) rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

/** @returns what tells the end of what is sent already */
async function spool<T>(
  path: string,
  { from, signal, freeBytes }: Pick<Piped, 'from' | 'signal' | 'freeBytes'>,
  sending: Sending<T> | undefined,
): Promise<(() => Promise<T>) | undefined> {
  const copy = new Copy(path, freeBytes)
  const stop = (): unknown => from.destroy()
  let growing: Growing<T> | undefined
  signal.addEventListener('abort', stop)
  try {
    if (signal.aborted) stop()
    await copy.begin()
    for await (const chunk of from) {
      await copy.add(chunk as Buffer | string)
      if (growing === undefined && sending !== undefined && copy.bytes > LARGE_CHUNK_BYTES) {
        growing = await sending.growing(path)
        growing.signal.addEventListener('abort', stop)
      }
      growing?.grown(copy.bytes)
    }
  } catch (cause) {
    throw brokenBy(signal, growing) ?? unkept(cause, growing)
  } finally {
    signal.removeEventListener('abort', stop)
    await copy.end()
  }
  // Whoever writes into the pipe ends by the same key, and a part looks like the whole then. A signal that came before is heard last of all.
  await turn()
  const cause = brokenBy(signal, growing)
  if (cause !== undefined) throw cause
  const known = growing
  return known && (() => known.ended(copy.bytes))
}

/** How much comes nobody knows: the disk is not filled to the brim by it. */
class Copy {
  bytes = 0
  private readonly path: string
  private readonly room: Room
  private file: Awaited<ReturnType<typeof open>> | undefined

  constructor(path: string, freeBytes: FreeBytes | undefined) {
    this.path = path
    this.room = new Room(join(path, '..'), freeBytes)
  }

  async begin(): Promise<void> {
    mkdirSync(join(this.path, '..'), { recursive: true, mode: 0o700 })
    this.file = await open(this.path, 'wx', 0o600)
  }

  async add(chunk: Buffer | string): Promise<void> {
    const bytes = Buffer.from(chunk as Buffer)
    this.room.take(bytes.length)
    for (let at = 0; at < bytes.length; ) at += (await this.file?.write(bytes, at))?.bytesWritten ?? 0
    this.bytes += bytes.length
  }

  async end(): Promise<void> {
    await this.file?.close()
  }
}

function brokenBy(signal: AbortSignal, growing: Growing<unknown> | undefined): unknown {
  if (signal.aborted && growing === undefined)
    return new SkeinError('FILE_UNREADABLE', 'Interrupted before the pipe had ended: nothing was sent.')
  if (signal.aborted) return new SkeinError('PIPE_BROKEN', 'Interrupted before the pipe had ended: what was sent of it is gone.')
  return growing?.signal.aborted ? growing.signal.reason : undefined
}

/** What the disk or the pipe says; anything else as it is. */
function unkept(cause: unknown, growing: Growing<unknown> | undefined): unknown {
  const { code = '', errno } = cause as NodeJS.ErrnoException
  const after = growing === undefined ? 'nothing was sent' : 'what was sent of it is gone'
  if (['ENOSPC', 'EDQUOT', 'DISK_FULL'].includes(code))
    return new SkeinError('DISK_FULL', `There is no room to keep what comes through the pipe: ${after}.`, { cause })
  if (errno === undefined) return cause
  return new SkeinError('FILE_UNREADABLE', `What comes through the pipe cannot be kept (${code}): ${after}.`, { cause })
}
