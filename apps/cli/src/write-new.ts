import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { SkeinError } from '@skein/core'
import { oneLine } from './terminal-text.ts'

const REASONS: Readonly<Record<string, string>> = {
  EEXIST: 'it exists already',
  ENOENT: 'there is no such folder',
  ENOTDIR: 'there is no such folder',
  EACCES: 'that is not allowed',
  EPERM: 'that is not allowed',
  EROFS: 'that place can only be read',
  ENOSPC: 'there is no room left',
  EDQUOT: 'there is no room left',
}

/** Writes a file that was not there before; what could not be written whole is removed again. @throws SkeinError USAGE, DISK_FULL */
export function writeNew(file: string, bytes: Uint8Array, write: (fd: number, bytes: Uint8Array) => void = writeFileSync): void {
  let fd: number | undefined
  try {
    fd = openSync(file, 'wx', 0o600)
    write(fd, bytes)
  } catch (cause) {
    if (fd !== undefined) rmSync(file, { force: true })
    const { code = '' } = cause as NodeJS.ErrnoException
    const why = REASONS[code] ?? `the system says ${code}`
    const kind = code === 'ENOSPC' || code === 'EDQUOT' ? 'DISK_FULL' : 'USAGE'
    throw new SkeinError(kind, `The file ${oneLine(file)} cannot be written: ${why}.`, { cause })
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
