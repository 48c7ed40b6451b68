/** The contracts of clock, chance, log, compression and store on the adapters of a page, in a real Chromium. */
import { expect, it } from 'vitest'
import { findChromium, MISSING } from './chromium.ts'
import { runContracts } from './contract-pages.ts'

const WITHIN_MS = 300_000
const skipped = findChromium() === undefined && !process.env['CI']
if (skipped) process.stderr.write(`\nSKIPPED: the contracts of ports in a browser. ${MISSING}\n\n`)

it.skipIf(skipped)(
  '[BN6] every port keeps its contract in a page, with private files on a secure origin and an image on any other',
  async () => {
    const reports = await runContracts([
      { secure: true, ports: ['storage'] },
      { secure: false, ports: ['platform', 'storage'] },
    ])
    expect(reports.map(({ secureContext }) => secureContext)).toEqual([true, false])
    for (const { results } of reports) {
      expect(results.filter(({ state }) => state !== 'pass')).toEqual([])
      expect(results.length).toBeGreaterThan(20)
    }
  },
  WITHIN_MS,
)
