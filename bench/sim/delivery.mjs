// `npm run sim -- delivery --seeds N [--first SEED] [--steps N] [--json]`: chaos in memory, one world for each seed; every seed
// that fails is named, and runs again by `--first SEED --seeds 1`.
import { deliveryChaos } from '@skein/core/testing'
import { nativePrimitives as primitives } from '@skein/node/swarm'

export async function simulate({ seeds = '200', first: wanted, steps = '30' }) {
  const first = wanted === undefined ? Math.floor(Math.random() * 1e9) : Number(wanted)
  const totals = { seeds: Number(seeds), first_seed: first, messages: 0, delivered: 0, lost: 0, doubled: 0, misordered: 0, failures: [] }
  for (let each = first; each < first + totals.seeds; each += 1) {
    const { failures, seed, ...counts } = await deliveryChaos(each, { steps: Number(steps), primitives })
    for (const [name, count] of Object.entries(counts)) totals[name] += count
    if (failures.length > 0) totals.failures.push({ seed, failures })
  }
  return totals
}
