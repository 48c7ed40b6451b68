// `npm run sim -- mesh --trace DIR --policy NAME [--copies N] [--adversary KIND --share S] [--quotas] [--addresses N] [--seed N] [--json]`
// `npm run sim -- bound --trace DIR [--copies N] [--json]`
// `npm run sim -- gossip [--nodes N] [--degree N] [--bytes N] [--messages N] [--json]`
// `npm run sim -- routing --graph FILE [--carrying on|off] [--json]`
// `npm run sim -- waypoint --out DIR [--nodes N] [--seed N]` (writes a trace)
// `npm run sim -- delivery [--seeds N] [--first SEED] [--steps N] [--json]`
import { parseArgs } from 'node:util'

const KINDS = {
  mesh: './mesh.mjs',
  bound: './bound.mjs',
  waypoint: './waypoint.mjs',
  routing: './routing.mjs',
  delivery: './delivery.mjs',
  gossip: './gossip.mjs',
}
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    trace: { type: 'string' },
    out: { type: 'string' },
    graph: { type: 'string' },
    policy: { type: 'string', default: 'adaptive' },
    copies: { type: 'string' },
    adversary: { type: 'string' },
    share: { type: 'string', default: '0.3' },
    quotas: { type: 'boolean', default: false },
    addresses: { type: 'string' },
    nodes: { type: 'string' },
    degree: { type: 'string' },
    bytes: { type: 'string' },
    messages: { type: 'string' },
    carrying: { type: 'string', default: 'on' },
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string' },
    first: { type: 'string' },
    steps: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const file = KINDS[positionals[0] ?? '']
if (file === undefined) {
  process.stderr.write(`sim: no simulation «${positionals[0] ?? ''}»; there are: ${Object.keys(KINDS).join(', ')}\n`)
  process.exit(2)
}
const { simulate } = await import(file)
try {
  const figures = await simulate(values)
  process.stdout.write(values.json ? `${JSON.stringify(figures)}\n` : `${JSON.stringify(figures, null, 2)}\n`)
} catch (error) {
  process.stderr.write(`sim: ${error.message}\n`)
  process.exitCode = 2
}
