// `npm run chaos -- [--minutes M] [--clients N] [--no-browsers] [--json]`: real processes, killed and stopped at random, and browsers
// where there is a Chromium; the figures are computed from all sides' histories by message id.
import { parseArgs } from 'node:util'
import { findChromium } from './browser/chromium.ts'
import { runChaos } from './chaos.ts'

const { values } = parseArgs({
  allowNegative: true,
  options: {
    minutes: { type: 'string', default: '2' },
    clients: { type: 'string', default: '5' },
    browsers: { type: 'boolean', default: findChromium() !== undefined },
    json: { type: 'boolean', default: false },
  },
})
const log = (line) => process.stderr.write(`chaos: ${line}\n`)
const figures = await runChaos({ ms: Number(values.minutes) * 60_000, clients: Number(values.clients), browsers: values.browsers, log })
process.stdout.write(`${JSON.stringify(figures, undefined, values.json ? undefined : 2)}\n`)
process.exitCode = figures.failures.length === 0 ? 0 : 1
