/** Names from elsewhere, made fit for any file system (FI16, FI17). */
import { SkeinError } from '../errors/index.ts'
import { fitLetters, INSTEAD } from './fit-letters.ts'
import { MAX_SEGMENT_BYTES } from './limits.ts'

/** Names of devices on Windows, whatever extension follows. */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?=$|\.)/i
/** What Windows drops from the end of a name. */
const HIDING = /[. ]+$/
const UNNAMED = 'file'

/**
 * One segment of a path that any file system takes: NFC, without what is unfit, at most MAX_SEGMENT_BYTES, not hidden by
 * a trailing dot or space. The same name stays the same.
 */
export function safeName(name: string): string {
  const fit = fitLetters(name).replace(HIDING, '').trimStart()
  const named = /^\.*$/.test(fit) ? UNNAMED : fit
  return shortened(named.replace(DEVICE, `${INSTEAD}$1`))
}

/** @throws SkeinError BAD_FRAME for what is no segment of a path at all: nobody writes it by mistake (FI16) */
export function requireSegment(segment: string): string {
  if (segment === '' || segment === '.' || segment === '..' || /[/\\\0]/.test(segment))
    throw new SkeinError('BAD_FRAME', 'A folder lists a path that leads elsewhere.')
  return segment
}

/** `name` for 1, `name (2)` for 2: before the extension. @param count from 1 */
export function numberedName(name: string, count: number): string {
  if (count === 1) return name
  const [stem, extension] = split(name)
  return `${stem} (${count})${extension}`
}

/** By which two names are one on a file system that does not tell case apart. */
export function foldedName(name: string): string {
  return name.normalize('NFC').toLowerCase().toUpperCase().toLowerCase()
}

/** What stands behind the last dot, if that is not all; of `.tar.gz` both parts. */
function split(name: string): readonly [string, string] {
  const match = /^(.+?)((?:\.tar)?\.[^. ]{1,16})$/u.exec(name)
  return match?.[1] === undefined || match[2] === undefined ? [name, ''] : [match[1], match[2]]
}

function shortened(name: string): string {
  if (utf8Length(name) <= MAX_SEGMENT_BYTES) return name
  const [stem, extension] = split(name)
  const letters = [...stem]
  while (letters.length > 1 && utf8Length(letters.join('') + extension) > MAX_SEGMENT_BYTES) letters.pop()
  return `${letters.join('').replace(HIDING, '')}${extension}`
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length
}
