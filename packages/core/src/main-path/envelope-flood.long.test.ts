import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { floodOutcome } from '../testing/envelopes.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function heapBytes(): number {
  collect()
  return process.memoryUsage().heapUsed
}

it('[EA4] a million random envelopes leave memory and state as they were', { timeout: 1_200_000 }, async () => {
  const { refusals, heapGrowth, before, after, honestOpens } = await floodOutcome(1_000_000, heapBytes)
  expect(Object.keys(refusals)).not.toContain('OPENED')
  // Half a byte for each would show.
  expect(heapGrowth).toBeLessThan(512 * 1_024)
  expect(after).toEqual(before)
  expect(honestOpens).toBe(true)
})
