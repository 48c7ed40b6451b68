// How long a chat message takes over a circuit: alone, beside bulk of others, beside one client that floods. Bulk goes over
// raw connections, as that of our clients does. Whoever sends and takes it has a lower priority than relay and talkers: they
// stand for other machines, and here they would take the very processors that chat needs.
import { setPriority } from 'node:os'
import { percentile, sleep } from './processes.mjs'

const ROUND_TRIPS = 400
const EVERY_MS = 10
const BULK = 4
/** Longer than the chat beside it. */
const POUR_MS = 15_000
const LOWEST = 19

export async function chatUnderLoad(all) {
  const relay = await all.relay()
  const [talker, listener, sender, receiver] = [all.peer(), all.peer(), all.peer('bulk-peer.mjs'), all.peer('bulk-peer.mjs')]
  const { ids } = await listener.ask('members', { relay: relay.tcp, count: 1 })
  await talker.ask('connect', { relay: relay.tcp, ids })
  const chat = async () => percentile((await talker.ask('chat', { count: ROUND_TRIPS, everyMs: EVERY_MS })).times.slice(50), 0.99)
  const { device } = await receiver.ask('join', { url: relay.url, tcp: relay.tcp })
  await sender.ask('join', { url: relay.url, tcp: relay.tcp })
  for (let n = 0; n < BULK; n += 1) await sender.ask('open', { device })
  for (const each of [sender, receiver]) setPriority(each.pid, LOWEST)
  await sleep(3_000)
  const idle = await chat()
  const beside = async (connections) => {
    const before = (await receiver.ask('received')).bytes
    const pouring = sender.ask('pour', { bytes: 1e12, untilMs: POUR_MS, connections })
    await sleep(1_000)
    const p99 = await chat()
    await pouring
    return { p99, mbPerS: ((await receiver.ask('received')).bytes - before) / 1e6 / (POUR_MS / 1_000) }
  }
  const flooded = await beside(1)
  const busy = await beside(BULK)
  return {
    chat_p99_ms_idle: round(idle),
    chat_p99_ms_under_bulk: round(busy.p99),
    chat_p99_ratio_flooder: round(flooded.p99 / idle),
    bulk_beside_chat_mb_per_s: round(busy.mbPerS),
  }
}

const round = (value) => Math.round(value * 100) / 100
