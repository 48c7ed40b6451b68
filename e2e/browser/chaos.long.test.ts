/** A moment of chaos in browsers; more of it, among processes that are killed, by `npm run chaos` and with the long tests. */
import { expect, it } from 'vitest'
import { ChaosBrowsers } from '../chaos-browsers.ts'
import { Lab } from '../processes.ts'
import { findChromium, MISSING } from './chromium.ts'

const skipped = findChromium() === undefined && !process.env['CI']
if (skipped) process.stderr.write(`\nSKIPPED: chaos in browsers. ${MISSING}\n\n`)

/** As long as a test run can spare; each browser is hurt once at least. */
const CHAOS_MS = 3_000
const SETTLE_WITHIN_MS = 240_000

it.skipIf(skipped)(
  '[DL9] [BN3] tabs closed in mid-send, loaded again and opened twice, and a storage that was deleted: nothing is lost, doubled or out of order',
  async () => {
    await using lab = await Promise.resolve(new Lab())
    const relay = await lab.relay()
    const peer = await lab.client('peer', [relay.url])
    await using browsers = await ChaosBrowsers.open(peer, [relay.url])
    await browsers.run(performance.now() + CHAOS_MS, () => undefined)
    const figures = await browsers.figures(SETTLE_WITHIN_MS)
    expect(figures).toMatchObject({ lost: 0, doubled: 0, misordered: 0, storage_lost: 1, delivered: figures.messages })
    expect(figures.tabs_hurt).toBeGreaterThanOrEqual(2)
    expect(figures.messages).toBeGreaterThanOrEqual(6)
  },
  600_000,
)
