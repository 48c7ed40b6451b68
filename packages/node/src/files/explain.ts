/** Failures of the file system as ours. */
import { isSkeinError, SkeinError } from '@skein/core'

const FULL = ['ENOSPC', 'EDQUOT']

export function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException).code ?? '')
}

/** Of what is read. */
export function unreadable(path: string, cause: unknown): SkeinError {
  if (isSkeinError(cause)) return cause
  return new SkeinError('FILE_UNREADABLE', `«${path}» cannot be read (${codeOf(cause)}): check its name and your rights.`, { cause })
}

/** Of what is written. */
export function unwritable(path: string, cause: unknown): SkeinError {
  if (isSkeinError(cause)) return cause
  if (FULL.includes(codeOf(cause))) return diskFull(cause)
  if (codeOf(cause) === 'ENAMETOOLONG') return new SkeinError('NAME_TOO_LONG', `A name or path of it is too long for «${path}».`, { cause })
  const advice =
    codeOf(cause) === 'EFBIG' ? 'this disk takes no files of that size' : 'check the disk and your rights, or choose another folder'
  return new SkeinError('FILE_UNREADABLE', `«${path}» cannot be written (${codeOf(cause)}): ${advice}.`, { cause })
}

/** Of a folder that only looks as if it was there. */
export function diskAway(folder: string): SkeinError {
  return new SkeinError('FILE_UNREADABLE', `«${folder}» cannot be written: the disk that it was on is away.`)
}

export function diskFull(cause?: unknown): SkeinError {
  return new SkeinError('DISK_FULL', 'There is no room for this on the disk; what has come is kept, and it goes on when there is.', {
    cause,
  })
}

/** Of a part that somebody else has written to. */
export function meddled(path: string): SkeinError {
  return new SkeinError('FILE_UNREADABLE', `«${path}» was changed while it was received; what is missing is fetched again.`)
}

export function changed(path: string): SkeinError {
  return new SkeinError('FILE_CHANGED', `«${path}» was changed, moved or removed after it was offered.`)
}
