/** The contracts of swarm and directory on the adapters of a page, in a real Chromium, over a real relay. */
import { expect, it } from 'vitest'
import { Lab } from '../processes.ts'
import { findChromium, MISSING } from './chromium.ts'
import { runContracts } from './contract-pages.ts'

const WITHIN_MS = 600_000
const skipped = findChromium() === undefined && !process.env['CI']
if (skipped) process.stderr.write(`\nSKIPPED: the contracts of the network in a browser. ${MISSING}\n\n`)

it.skipIf(skipped)(
  '[BN6] swarm and directory keep their contracts in a page on an origin that is not secure',
  async () => {
    await using lab = await Promise.resolve(new Lab())
    const { url } = await lab.relay()
    const [report] = await runContracts([{ secure: false, ports: ['network'], relay: url }])
    expect(report?.results.filter(({ state }) => state !== 'pass')).toEqual([])
    expect(report?.results.length).toBeGreaterThan(10)
  },
  WITHIN_MS,
)
