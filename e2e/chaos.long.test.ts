import { expect, it } from 'vitest'
import { findChromium } from './browser/chromium.ts'
import { runChaos } from './chaos.ts'

// No second try: a run that loses a message is red, however often the next one loses none.
it('[DL9] two minutes of five clients, two relays and two browsers, killed, stopped and closed at random: nothing is lost, doubled or out of order', {
  retry: 0,
  timeout: 1_200_000,
}, async () => {
  const figures = await runChaos({ ms: 120_000, browsers: findChromium() !== undefined })
  expect(figures.failures).toEqual([])
  expect(figures.messages).toBeGreaterThan(10)
})
