// Clients that talk while their relay is emptied and started anew; each has a second relay, as members of a fleet have.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { percentile, sleep } from './processes.mjs'

const RELAY = fileURLToPath(new URL('../../../apps/relay/bundle/main.js', import.meta.url))
const PROCESSES = 2

export async function drained(all, clients) {
  const [first, second] = [await all.relay(), await all.relay()]
  const peers = Array.from({ length: PROCESSES }, () => all.peer('drain-peer.mjs'))
  const count = Math.ceil(clients / 2 / PROCESSES)
  await Promise.all(peers.map((peer) => peer.ask('begin', { relays: [first.tcp, second.tcp], count })))
  await sleep(5_000)
  const port = Number(/\/tcp\/(\d+)/.exec(first.tcp)[1])
  spawnSync(process.execPath, [RELAY, '--json', '--data-dir', first.dataDir, 'drain'])
  await all.relay({ dataDir: first.dataDir, ports: { tcp: port } })
  await sleep(10_000)
  const results = await Promise.all(peers.map((peer) => peer.ask('finish')))
  const sum = (field) => results.reduce((total, each) => total + each[field], 0)
  const gaps = results.flatMap((each) => each.gaps)
  return {
    drain_500: {
      clients: count * PROCESSES * 2,
      sent: sum('sent'),
      lost: sum('lost'),
      doubled: sum('doubled'),
      again: sum('again'),
      gap_p50_ms: Math.round(percentile(gaps, 0.5)),
      gap_p99_ms: Math.round(percentile(gaps, 0.99)),
    },
  }
}
