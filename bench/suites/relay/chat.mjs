// How long a chat message takes over a circuit: alone, beside bulk on other circuits, beside one client that floods.
import { percentile, sleep } from './processes.mjs'

const ROUND_TRIPS = 400
const EVERY_MS = 10
const BULK = 4
/** Longer than the chat beside it. */
const POUR_MS = 15_000

export async function chatUnderLoad(all) {
  const relay = await all.relay()
  const [talker, listener, sender, receiver] = [all.peer(), all.peer(), all.peer(), all.peer()]
  const { ids } = await listener.ask('members', { relay: relay.tcp, count: 1 })
  await talker.ask('connect', { relay: relay.tcp, ids })
  const chat = async () => percentile((await talker.ask('chat', { count: ROUND_TRIPS, everyMs: EVERY_MS })).times.slice(50), 0.99)
  const { ids: sinks } = await receiver.ask('members', { relay: relay.tcp, count: BULK })
  await sender.ask('connect', { relay: relay.tcp, ids: sinks, own: true })
  const idle = await chat()
  const beside = async (options) => {
    const pouring = sender.ask('bulk', { bytes: 1e12, untilMs: POUR_MS, ...options })
    await sleep(1_000)
    const p99 = await chat()
    return { p99, pouring }
  }
  const flooded = await beside({ from: 0, to: 1 })
  await flooded.pouring
  const busy = await beside({})
  await busy.pouring
  return {
    chat_p99_ms_idle: round(idle),
    chat_p99_ms_under_bulk: round(busy.p99),
    chat_p99_ratio_flooder: round(flooded.p99 / idle),
  }
}

const round = (value) => Math.round(value * 100) / 100
