/** What SQLite's full-text index finds, for the store in memory. */
import { searchPhrases } from '../conversation/search-words.ts'

/** Whether a search for `query` finds `text`. */
export function isFound(text: string, query: string): boolean {
  const words = searchPhrases(text).flat()
  const phrases = searchPhrases(query)
  return phrases.length > 0 && phrases.every((phrase) => words.some((_, at) => standsAt(words, phrase, at)))
}

function standsAt(words: readonly string[], phrase: readonly string[], start: number): boolean {
  const isLast = (at: number): boolean => at === phrase.length - 1
  return phrase.every((word, at) => (isLast(at) ? words[start + at]?.startsWith(word) : words[start + at] === word))
}
