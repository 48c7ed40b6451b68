import { VirtualClock } from '@skein/core/testing'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Allowance } from './allowance.ts'

it('[PT6] in no window of time is more taken than allowed, and whoever waits gets all of it again', async () => {
  const step = fc.record({ wait: fc.integer({ min: 0, max: 70 }), whom: fc.constantFrom('a', 'b') })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const clock = new VirtualClock()
      const allowance = new Allowance(clock, { most: 3, withinMs: 100 })
      const granted: Record<string, number[]> = { a: [], b: [] }
      for (const { wait, whom } of steps) {
        await clock.advance(wait)
        if (allowance.take(whom)) granted[whom]?.push(clock.monotonic())
      }
      for (const times of Object.values(granted))
        for (const [n, at] of times.entries()) expect(at - (times[n - 3] ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(100)
      await clock.advance(100)
      expect([1, 2, 3, 4].map(() => allowance.take('a'))).toEqual([true, true, true, false])
    }),
    { numRuns: 50 },
  )
})
