import { expect, it } from 'vitest'
import { LoopDelay } from './loop-delay.ts'

function monitored() {
  const now = { p99: 20e6, resets: 0 }
  const monitor = { enable: () => true, disable: () => true, percentile: () => now.p99, reset: () => void (now.resets += 1) }
  return { now, delay: new LoopDelay(monitor) }
}

it('[RL15] an idle processor lets nothing wait', () => {
  const { delay } = monitored()
  delay.look()
  expect(delay.worst()).toBe(0)
})

it('[RL15] what was slow counts for a minute, and not for ever', () => {
  const { now, delay } = monitored()
  now.p99 = 320e6
  delay.look()
  now.p99 = 21e6
  for (let looks = 1; looks < 30; looks += 1) delay.look()
  expect(delay.worst()).toBe(300)
  delay.look()
  expect([delay.worst(), now.resets]).toEqual([1, 31])
})
