/** Words of texts and queries as a search compares them (MK11). */

/**
 * What only accents a letter of Latin, Greek, Cyrillic, Hebrew or Arabic, makes it longer, or says how a sign is drawn. Vowel signs of
 * Indic scripts and Thai make another word, and so do the voicing marks of Japanese.
 */
const ACCENTS = /(?=\p{M})(?![\u3099\u309a])[\p{sc=Zinh}\p{sc=Hebr}\p{sc=Arab}]|\u0640/gu

/** Letters of scripts that put no spaces between words. */
const UNSPACED =
  /[\p{scx=Hani}\p{scx=Hira}\p{scx=Kana}\p{scx=Bopo}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}\p{sc=Tale}\p{sc=Talu}\p{sc=Lana}]\p{M}*/gu

const ASCII = /^\p{ASCII}*$/u

/**
 * A text as the index has it: without case and accents, and each letter of a script without spaces a word of its own, so that
 * what is found there may begin anywhere. The index keeps no other copy: of the same text it must be the same for ever.
 */
export function searchText(text: string): string {
  return ASCII.test(text) ? text.toLowerCase() : apart(folded(text))
}

/** What a query asks for: words that follow each other, the last of which may go on; all are to be found. */
export function searchPhrases(query: string): readonly (readonly string[])[] {
  const runs = folded(query).match(/[\p{L}\p{N}\p{M}]+/gu) ?? []
  return runs.map((run) => apart(run).trim().split(/ +/))
}

function folded(text: string): string {
  return text.normalize('NFKD').toLowerCase().replace(ACCENTS, '').replaceAll('ς', 'σ').normalize('NFC')
}

function apart(text: string): string {
  return text.replace(UNSPACED, ' $& ')
}
