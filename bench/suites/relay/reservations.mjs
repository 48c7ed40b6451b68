// Many members that do nothing: what each costs to take in, to keep, and to leave alone.
import { percentile, sleep } from './processes.mjs'

const PER_PROCESS = 1_000
const IDLE_MS = 15_000
/** Of a second, while the relay holds all the others. */
const RATE = 100
const RATED = 500

export async function reservations(all, count) {
  const relay = await all.relay()
  const peers = Array.from({ length: Math.ceil(count / PER_PROCESS) }, () => all.peer())
  await sleep(1_000)
  const [rss] = [relay.rss()]
  for (const peer of peers) await peer.ask('members', { relay: relay.tcp, count: Math.min(count, PER_PROCESS) })
  const held = await figure(relay, 'skein_relay_reservations')
  await sleep(5_000)
  const full = relay.rss()
  const cpu = relay.cpu()
  await sleep(IDLE_MS)
  const idle = ((relay.cpu() - cpu) / (IDLE_MS / 1_000)) * 100
  const rated = all.peer('rated.mjs')
  const { times } = await rated.ask('rated', { relay: relay.tcp, perSecond: RATE, count: RATED })
  return {
    reservations_held: held,
    rss_kb_per_reservation: Math.round(((full - rss) * 1_024) / held),
    idle_cpu_percent_per_1000: Math.round((idle / (held / 1_000)) * 100) / 100,
    reserve_p99_ms: Math.round(percentile(times, 0.99) * 10) / 10,
  }
}

async function figure(relay, name) {
  const text = await (await fetch(`${relay.url}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1])
}
