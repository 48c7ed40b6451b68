/** Copies of files that a page hands over in parts: its client runs in another program, and cannot read them itself. */
import { randomUUID } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { SkeinError } from '@skein/core'
import { numberedName, safeName } from '@skein/core/files'
import { unwritable } from './explain.ts'
import { spoolFolder } from './node-files.ts'

/** Uploads that are under way; the oldest is forgotten for a new one. */
const MAX_UPLOADS = 100

export interface Upload {
  readonly upload: string
  /** What `sendFiles` takes: one for each name at the top. */
  readonly paths: readonly string[]
}

export class Uploads {
  private readonly stateFolder: string
  /** Paths of the files, by upload. */
  private readonly open = new Map<string, readonly string[]>()

  constructor(stateFolder: string) {
    this.stateFolder = stateFolder
  }

  /** Makes the files, empty. @param names folders and name of each @throws SkeinError FILE_UNREADABLE, DISK_FULL */
  begin(names: readonly (readonly string[])[]): Upload {
    const upload = randomUUID()
    const folder = join(spoolFolder(this.stateFolder), upload)
    const files = attempt(folder, () => {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      return names.map((segments) => makeEmpty(join(folder, ...segments.slice(0, -1).map(safeName)), safeName(segments.at(-1) ?? '')))
    })
    this.open.set(upload, files)
    const oldest = this.open.keys().next().value
    if (this.open.size > MAX_UPLOADS && oldest !== undefined) this.open.delete(oldest)
    return { upload, paths: [...new Set(files.map((file) => join(folder, relative(folder, file).split(sep)[0] ?? '')))] }
  }

  /** @param file its number @throws SkeinError USAGE for an upload that is not known, FILE_UNREADABLE, DISK_FULL */
  write(upload: string, file: number, bytes: Uint8Array): void {
    const path = this.open.get(upload)?.[file]
    if (path === undefined) throw new SkeinError('USAGE', 'This upload has not begun, or was long ago.')
    attempt(path, () => appendFileSync(path, bytes))
  }
}

/** Two that were pasted may have one name. */
function makeEmpty(folder: string, name: string): string {
  mkdirSync(folder, { recursive: true })
  let count = 1
  while (existsSync(join(folder, numberedName(name, count)))) count += 1
  const path = join(folder, numberedName(name, count))
  writeFileSync(path, '', { mode: 0o600, flag: 'wx' })
  return path
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw unwritable(path, cause)
  }
}
