/** Copies of files that a page hands over in parts: its client runs in another program, and cannot read them itself. */
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { appendFile, mkdir, rm, utimes, writeFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { isSkeinError, MAX_FOLDER_ENTRIES, SkeinError } from '@skein/core'
import { numberedName, safeName } from '@skein/core/files'
import { BLOCK_BYTES } from './constants.ts'
import { unwritable } from './explain.ts'
import { spoolFolder } from './node-files.ts'
import { type FreeBytes, Room } from './room.ts'

/** Uploads that are under way; the oldest is forgotten for a new one. */
const MAX_UPLOADS = 100

/** What the user has chosen. */
export interface UploadName {
  /** Folders and name. */
  readonly path: readonly string[]
  /** Of a file, milliseconds since 1970; without it, it is an empty folder. */
  readonly modified?: number | undefined
}

interface Upload {
  /** In the order of the names. */
  readonly made: Made[]
  readonly room: Room
  /** Written to last: its time is still to be set. */
  last: Made | undefined
  /** What was asked for before is done. */
  ready: Promise<unknown>
}

interface Made {
  readonly path: string
  readonly modified: number | undefined
}

export class Uploads {
  private readonly stateFolder: string
  private readonly freeBytes: FreeBytes | undefined
  private readonly open = new Map<string, Upload>()

  constructor(stateFolder: string, freeBytes?: FreeBytes) {
    this.stateFolder = stateFolder
    this.freeBytes = freeBytes
  }

  /**
   * Makes files and folders, empty. @param more an upload that has begun: these names come behind those that it has
   * @returns the id of the upload
   * @throws SkeinError FILE_UNREADABLE, DISK_FULL, TOO_MANY_FILES, USAGE for an upload that is not known
   */
  async begin(names: readonly UploadName[], more?: string): Promise<string> {
    const id = more ?? this.fresh()
    const { made, room } = this.known(id)
    const folder = this.folderOf(id)
    await this.attempt(id, folder, async () => {
      if (made.length + names.length > MAX_FOLDER_ENTRIES)
        throw new SkeinError('TOO_MANY_FILES', `At most ${MAX_FOLDER_ENTRIES} files can be sent at once.`)
      await mkdir(folder, { recursive: true, mode: 0o700 })
      room.require(names.length * BLOCK_BYTES)
      for (const each of names) made.push(await makeEmpty(folder, each))
    })
    return id
  }

  /** @param file its number @throws SkeinError USAGE for an upload that is not known, FILE_UNREADABLE, DISK_FULL */
  async write(id: string, file: number, bytes: Uint8Array): Promise<void> {
    const upload = this.known(id)
    const made = upload.made[file]
    if (made?.modified === undefined) throw unknown()
    await this.attempt(id, made.path, async () => {
      upload.room.take(bytes.length)
      if (upload.last !== made) await keepTime(upload.last)
      upload.last = made
      await appendFile(made.path, bytes)
    })
  }

  /**
   * Offers what has come: of these paths, those that are ids of uploads stand for what is in them, and nothing is added to them any
   * more. What is refused leaves no copy; where it is not known whether it was, that stays.
   */
  async hand<T>(paths: readonly string[], offer: (paths: readonly string[]) => Promise<T>): Promise<T> {
    const ids = paths.filter((path) => this.open.has(path))
    try {
      const named = await Promise.all(paths.map((path) => (ids.includes(path) ? this.take(path) : [path])))
      return await offer(named.flat())
    } catch (error) {
      if (isSkeinError(error)) await Promise.all(ids.map((id) => this.discard(id)))
      throw error
    }
  }

  /** It is not to be offered after all. Nothing happens to one that is not known. */
  async end(id: string): Promise<void> {
    if (this.open.has(id)) await this.discard(id)
  }

  /** What cannot be removed now is a day later (FI40). Never throws. */
  private async discard(id: string): Promise<void> {
    const upload = this.open.get(id)
    this.open.delete(id)
    await upload?.ready
    await rm(this.folderOf(id), { recursive: true, force: true }).catch(() => undefined)
  }

  /** @returns what its files and folders are called at the top */
  private async take(id: string): Promise<readonly string[]> {
    const upload = this.known(id)
    const folder = this.folderOf(id)
    this.open.delete(id)
    await upload.ready
    await keepTime(upload.last).catch((cause: unknown) => {
      throw unwritable(folder, cause)
    })
    return [...new Set(upload.made.map(({ path }) => join(folder, relative(folder, path).split(sep)[0] ?? '')))]
  }

  private fresh(): string {
    const id = randomUUID()
    this.open.set(id, { made: [], room: new Room(this.folderOf(id), this.freeBytes), last: undefined, ready: Promise.resolve() })
    const oldest = this.open.keys().next().value
    if (this.open.size > MAX_UPLOADS && oldest !== undefined) void this.discard(oldest)
    return id
  }

  private folderOf(id: string): string {
    return join(spoolFolder(this.stateFolder), id)
  }

  /** @throws SkeinError USAGE */
  private known(id: string): Upload {
    const known = this.open.get(id)
    if (known === undefined) throw unknown()
    return known
  }

  /** In its turn. What fails is not gone on with, and takes no more room. */
  private async attempt(id: string, path: string, work: () => Promise<void>): Promise<void> {
    const upload = this.known(id)
    const done = upload.ready.then(work)
    upload.ready = done.catch(() => undefined)
    try {
      await done
    } catch (cause) {
      await this.discard(id)
      throw unwritable(path, cause)
    }
  }
}

/** Two that were pasted may have one name. */
async function makeEmpty(top: string, { path: segments, modified }: UploadName): Promise<Made> {
  const folder = join(top, ...segments.slice(0, -1).map(safeName))
  await mkdir(folder, { recursive: true })
  const name = safeName(segments.at(-1) ?? '')
  let count = 1
  while (existsSync(join(folder, numberedName(name, count)))) count += 1
  const made: Made = { path: join(folder, numberedName(name, count)), modified }
  if (modified === undefined) await mkdir(made.path)
  else await writeFile(made.path, '', { mode: 0o600, flag: 'wx' })
  await keepTime(made)
  return made
}

/** Each part that is written changes it. */
async function keepTime(made: Made | undefined): Promise<void> {
  if (made?.modified !== undefined) await utimes(made.path, made.modified / 1_000, made.modified / 1_000)
}

function unknown(): SkeinError {
  return new SkeinError('USAGE', 'This upload has not begun, or was long ago.')
}
