/** The contracts of swarm and directory over a real relay, and of the store on private files, on the adapters of a page. */
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

it.skipIf(skipped)(
  '[BN6] the store keeps all of its contract on private files, on a secure origin',
  async () => {
    const [report] = await runContracts([{ secure: true, ports: ['storage'] }])
    expect(report?.results.filter(({ state }) => state !== 'pass')).toEqual([])
    expect(report?.results.length).toBeGreaterThan(30)
  },
  WITHIN_MS,
)
