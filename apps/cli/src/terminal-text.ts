/** Text of other people on our terminal: it may say anything, but must not move the cursor, set titles or reverse lines. */
import { stripVTControlCharacters } from 'node:util'

/** C0 and C1 controls but for line feed and tab, and the characters that override the direction of what follows (UAX #9). */
const CONTROL = /[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu

/** @param text lines of our own output with foreign text in it; line feeds stay */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replace(CONTROL, '')
}

/** For a foreign text inside a line of ours: its further lines are indented, so that none can pass for one of ours. */
export function quoted(text: string): string {
  return printable(text).replaceAll('\n', '\n    ')
}

/** For a foreign name: one line. */
export function oneLine(text: string): string {
  return printable(text).replaceAll(/\s+/g, ' ')
}
