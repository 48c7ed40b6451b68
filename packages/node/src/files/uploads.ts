/** Copies of files that a page hands over in parts: its client runs in another program, and cannot read them itself. */
import { randomUUID } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { MAX_FOLDER_ENTRIES, SkeinError } from '@skein/core'
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
  readonly made: readonly Made[]
  readonly room: Room
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
  begin(names: readonly UploadName[], more?: string): string {
    const upload = more ?? randomUUID()
    const folder = join(spoolFolder(this.stateFolder), upload)
    const { made, room } = more === undefined ? { made: [], room: new Room(folder, this.freeBytes) } : this.known(more)
    if (made.length + names.length > MAX_FOLDER_ENTRIES)
      throw new SkeinError('TOO_MANY_FILES', `At most ${MAX_FOLDER_ENTRIES} files can be sent at once.`)
    const added = this.attempt(upload, folder, () => {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      room.require(names.length * BLOCK_BYTES)
      return names.map((each) => makeEmpty(folder, each))
    })
    this.open.set(upload, { made: [...made, ...added], room })
    const oldest = this.open.keys().next().value
    if (this.open.size > MAX_UPLOADS && oldest !== undefined) this.open.delete(oldest)
    return upload
  }

  /** What its files and folders are called at the top; `undefined` for what is no upload. */
  pathsOf(upload: string): readonly string[] | undefined {
    const folder = join(spoolFolder(this.stateFolder), upload)
    const made = this.open.get(upload)?.made
    return made && [...new Set(made.map(({ path }) => join(folder, relative(folder, path).split(sep)[0] ?? '')))]
  }

  /** @param file its number @throws SkeinError USAGE for an upload that is not known, FILE_UNREADABLE, DISK_FULL */
  write(upload: string, file: number, bytes: Uint8Array): void {
    const { made: all, room } = this.known(upload)
    const made = all[file]
    if (made?.modified === undefined) throw unknown()
    this.attempt(upload, made.path, () => {
      room.take(bytes.length)
      appendFileSync(made.path, bytes)
      keepTime(made)
    })
  }

  /** @throws SkeinError USAGE */
  private known(upload: string): Upload {
    const known = this.open.get(upload)
    if (known === undefined) throw unknown()
    return known
  }

  /** What fails is not gone on with, and takes no more room. */
  private attempt<T>(upload: string, path: string, work: () => T): T {
    try {
      return work()
    } catch (cause) {
      this.open.delete(upload)
      rmSync(join(spoolFolder(this.stateFolder), upload), { recursive: true, force: true })
      throw unwritable(path, cause)
    }
  }
}

/** Two that were pasted may have one name. */
function makeEmpty(top: string, { path: segments, modified }: UploadName): Made {
  const folder = join(top, ...segments.slice(0, -1).map(safeName))
  mkdirSync(folder, { recursive: true })
  const name = safeName(segments.at(-1) ?? '')
  let count = 1
  while (existsSync(join(folder, numberedName(name, count)))) count += 1
  const made: Made = { path: join(folder, numberedName(name, count)), modified }
  if (modified === undefined) mkdirSync(made.path)
  else writeFileSync(made.path, '', { mode: 0o600, flag: 'wx' })
  keepTime(made)
  return made
}

/** Each part that is written changes it. */
function keepTime({ path, modified }: Made): void {
  if (modified !== undefined) utimesSync(path, modified / 1_000, modified / 1_000)
}

function unknown(): SkeinError {
  return new SkeinError('USAGE', 'This upload has not begun, or was long ago.')
}
