import { SkeinError } from '@skein/core'
import { expect, it } from 'vitest'
import { sayNoStart, wordsFor } from './words.ts'

it('[DW21] why it cannot start is said in the language of the user as far as there are words, and as the program says it', () => {
  const german = wordsFor('de-AT')
  const readOnly = new SkeinError('DATA_DIR_READ_ONLY', 'The data directory cannot be written.')
  const inWords = 'In den Ordner von Skein kann nicht geschrieben werden. (The data directory cannot be written.)'
  expect(sayNoStart(german, readOnly)).toBe(`Skein kann nicht starten.\n\n${inWords}`)
  expect(sayNoStart(german, new Error('no such thing'))).toBe('Skein kann nicht starten.\n\nno such thing')
  expect(sayNoStart(wordsFor('en'), readOnly)).toBe('Skein cannot start.\n\nThe data directory cannot be written.')
})
