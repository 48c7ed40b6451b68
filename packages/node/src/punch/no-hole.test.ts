import { expect, it } from 'vitest'
import { noHole } from './no-hole.ts'

it('[PT2] two behind one router that does not turn packets round are told so, and nobody else is', () => {
  const said = (turnsRound: boolean | null, own: readonly string[], theirs: readonly string[]): string =>
    noHole({ turnsRound, own, theirs }).message
  expect(said(false, ['9.9.9.9'], ['9.9.9.9'])).toBe('both are behind one router that does not turn packets round')
  expect(said(false, ['9.9.9.9', '8.8.8.8'], ['8.8.8.8'])).toMatch(/one router/)
  for (const turnsRound of [true, null]) expect(said(turnsRound, ['9.9.9.9'], ['9.9.9.9'])).toBe('no hole was found')
  expect(said(false, ['9.9.9.9'], ['9.9.9.9', '8.8.8.8'])).toBe('no hole was found')
  expect(said(false, ['9.9.9.9'], [])).toBe('no hole was found')
})
