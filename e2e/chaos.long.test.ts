import { expect, it } from 'vitest'
import { runChaos } from './chaos.ts'

it('[DL9] two minutes of five clients and two relays, killed and stopped at random: nothing is lost, doubled or out of order', async () => {
  const figures = await runChaos({ ms: 120_000 })
  expect(figures.failures).toEqual([])
  expect(figures.messages).toBeGreaterThan(10)
}, 1_200_000)
