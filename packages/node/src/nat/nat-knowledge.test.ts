import { seededRandom, VirtualClock } from '@skein/core/testing'
import { expect, it, vi } from 'vitest'
import { silentLogger } from '../swarm/test-network.ts'
import { NatKnowledge } from './nat-knowledge.ts'

it('[PT10] when nobody has answered, it asks again after a while, and ever more seldom', async () => {
  const clock = new VirtualClock()
  const asked: number[] = []
  const found: boolean[] = []
  const knowledge = new NatKnowledge({
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    // Nobody listens there.
    stunServers: () => [['stun:127.0.0.1:9']],
    onKnown: ({ udp }) => {
      asked.push(clock.monotonic())
      found.push(udp)
    },
  })
  void knowledge.renew()
  await vi.waitFor(
    async () => {
      await clock.advance(500)
      expect(asked).toHaveLength(3)
    },
    { timeout: 20_000, interval: 1 },
  )
  knowledge.stop()
  const [first = 0, second = 0, third = 0] = asked
  expect(found).toEqual([false, false, false])
  expect(second - first).toBeGreaterThan(30_000)
  expect(third - second).toBeGreaterThan(60_000)
})
