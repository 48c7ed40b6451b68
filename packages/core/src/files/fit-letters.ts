/** Letters of names from elsewhere, apart from the rest of the rules (FI17): who shows a name needs these alone. */

/** What Windows, macOS or a terminal cannot bear in a name: controls, separators, wildcards, and marks that turn text around. */
const UNFIT = /[\p{Cc}\p{Cs}<>:"/\\|?*\u202a-\u202e\u2066-\u2069\u200e\u200f]/gu
export const INSTEAD = '_'

/** NFC, without what is unfit in a name. */
export function fitLetters(name: string): string {
  return name.normalize('NFC').replaceAll(UNFIT, INSTEAD)
}
