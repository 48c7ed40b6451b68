import fc from 'fast-check'
import { expect, it } from 'vitest'
import { shownDate } from './shown-date.ts'

const DAY_MS = 86_400_000

it('[DL8] a date of a clock that is wrong by a day is shown as it is said, one of next year as the time of arrival', () => {
  const now = Date.UTC(2030, 0, 1)
  expect([shownDate(now - 400 * DAY_MS, now), shownDate(now + DAY_MS, now)]).toEqual([now - 400 * DAY_MS, now + DAY_MS])
  expect([shownDate(now + DAY_MS + 1, now), shownDate(9e15, now)]).toEqual([now, now])
  fc.assert(fc.property(fc.maxSafeNat(), (said) => void expect(shownDate(said, now)).toBeLessThanOrEqual(now + DAY_MS)))
})
