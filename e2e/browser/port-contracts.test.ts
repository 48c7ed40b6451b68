/** The contracts of clock, chance, log, compression and store on the adapters of a page, in a real Chromium. */
import { expect, it } from 'vitest'
import { findChromium, MISSING } from './chromium.ts'
import { runContracts } from './contract-pages.ts'

const WITHIN_MS = 300_000
const skipped = findChromium() === undefined && !process.env['CI']
if (skipped) process.stderr.write(`\nSKIPPED: the contracts of ports in a browser. ${MISSING}\n\n`)

/**
 * What is closed and opened again, or cut off: where private files differ from an image. The rest is the same SQLite, and
 * runs on both with the long tests.
 */
const KEPT = String.raw`\[(ST1|ST5|ST8|ST43|MK12|BN7|FI7|FI15|FI38|FI40)\]`

it.skipIf(skipped)(
  '[BN6] [BN7] every port keeps its contract in a page, with private files on a secure origin and an image on any other',
  async () => {
    const reports = await runContracts([
      { secure: true, ports: ['storage'], only: KEPT },
      { secure: false, ports: ['platform', 'storage'] },
    ])
    expect(reports.map(({ secureContext }) => secureContext)).toEqual([true, false])
    for (const { results } of reports) {
      expect(results.filter(({ state }) => state !== 'pass')).toEqual([])
      expect(results.length).toBeGreaterThan(6)
    }
  },
  WITHIN_MS,
)
