/** What went wrong, as whoever asked is told: with a code of docs/ERRORS.md, or `INTERNAL` where nobody foresaw it. */
import { type ErrorCode, isSkeinError } from '@skein/core'

export interface Failure {
  readonly code: ErrorCode | 'INTERNAL'
  readonly message: string
}

/** Codes of the system and of SQLite. */
const KNOWN: readonly (readonly [RegExp, ErrorCode, string])[] = [
  [/^(ENOSPC|EDQUOT|SQLITE_FULL)/, 'DISK_FULL', 'There is no room left on the disk; nothing has been changed.'],
  [/^(EACCES|EPERM|EROFS|SQLITE_READONLY)/, 'DATA_DIR_READ_ONLY', "You have no right to the relay's data; try it as root."],
]

export function failureOf(error: unknown): Failure {
  if (isSkeinError(error)) return { code: error.code, message: error.message }
  const name = String((error as NodeJS.ErrnoException | undefined)?.code)
  const [, code, message] = KNOWN.find(([pattern]) => pattern.test(name)) ?? []
  if (code !== undefined && message !== undefined) return { code, message }
  return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) }
}
