import { expect, it } from 'vitest'
import { readLength, spellDuration } from './duration.ts'

it.each([
  [1_000, '1 second'],
  [30_000, '30 seconds'],
  [90_000, '1 minute 30 seconds'],
  [5_400_000, '1 hour 30 minutes'],
  [3_600_000, '1 hour'],
  [129_600_000, '1 day 12 hours'],
  [604_800_000, '7 days'],
])('%i ms are spelled as %s', (ms, words) => {
  expect(spellDuration(ms, 'en')).toBe(words)
})

it.each([
  ['2', 'hours', 7_200_000],
  ['1,5', 'hours', 5_400_000],
  ['365', 'days', 31_536_000_000],
  ['366', 'days', undefined],
  ['0.5', 'seconds', undefined],
  ['-3', 'days', undefined],
  ['soon', 'days', undefined],
  [' ', 'days', undefined],
] as const)('%j %s are %s ms', (count, unit, ms) => {
  expect(readLength(count, unit)).toBe(ms)
})
