// Many members that do nothing: what each costs to keep, and to leave alone, and how long a place takes among all of them.
import { percentile, sleep } from './processes.mjs'

const PER_PROCESS = 1_250
/** Held before memory is looked at first: what the heap of an empty relay grows by anyway is no member's. */
const FIRST = 500
const SETTLE_MS = 10_000
const IDLE_MS = 30_000
/** Of a second, while the relay holds all the others. */
const RATE = 100
const RATED = 500

export async function reservations(all, count) {
  const relay = await all.relay()
  const peers = Array.from({ length: Math.ceil(count / PER_PROCESS) }, () => all.peer('holders.mjs'))
  const hold = (many) => Promise.all(peers.map((peer) => peer.ask('hold', { relay: relay.tcp, count: Math.ceil(many / peers.length) })))
  await hold(Math.min(FIRST, count / 2))
  await sleep(SETTLE_MS)
  const [first, rss] = [await figure(relay, 'skein_relay_reservations'), relay.rss()]
  await hold(count - first)
  await sleep(SETTLE_MS)
  const [held, full, cpu] = [await figure(relay, 'skein_relay_reservations'), relay.rss(), relay.cpu()]
  await sleep(IDLE_MS)
  const idle = ((relay.cpu() - cpu) / (IDLE_MS / 1_000)) * 100
  const { times } = await all.peer('holders.mjs').ask('rated', { relay: relay.tcp, perSecond: RATE, count: RATED })
  return {
    reservations_held: held,
    rss_kb_per_reservation: Math.round(((full - rss) * 1_024) / (held - first)),
    rss_mb_all: Math.round(full),
    idle_cpu_percent_per_1000: Math.round((idle / (held / 1_000)) * 100) / 100,
    reserve_p50_ms: Math.round(percentile(times, 0.5) * 10) / 10,
    reserve_p99_ms: Math.round(percentile(times, 0.99) * 10) / 10,
  }
}

async function figure(relay, name) {
  const text = await (await fetch(`${relay.url}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1])
}
