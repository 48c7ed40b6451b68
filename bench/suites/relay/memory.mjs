// 100 circuits of senders that send what they can, to receivers of which half read nothing.
import { sleep } from './processes.mjs'

const CIRCUITS = 100
const FOR_MS = 15_000
const MIB = 1_048_576

export async function stalledReceivers(all) {
  const relay = await all.relay()
  const [receiver, sender] = [all.peer(), all.peer()]
  const { ids } = await receiver.ask('members', { relay: relay.tcp, count: 10 })
  // Ten circuits to each of ten members.
  await sender.ask('connect', { relay: relay.tcp, ids: Array.from({ length: CIRCUITS }, (_, n) => ids[n % ids.length]), own: true })
  await sleep(1_000)
  const idle = relay.rss()
  let peak = idle
  const watch = setInterval(() => (peak = Math.max(peak, relay.rss())), 50)
  const half = CIRCUITS / 2
  const bytes = 1e12
  const started = performance.now()
  await Promise.all([
    sender.ask('bulk', { from: 0, to: half, bytes, untilMs: FOR_MS, protocol: '/bench/stall/1' }),
    sender.ask('bulk', { from: half, to: CIRCUITS, bytes, untilMs: FOR_MS }),
  ])
  clearInterval(watch)
  const { bytes: arrived } = await receiver.ask('received')
  return {
    rss_peak_mb_fast_sender_slow_receiver: Math.round(peak - idle),
    rss_idle_mb: Math.round(idle),
    stalled_run_mb_per_s: Math.round(arrived / MIB / ((performance.now() - started) / 1_000)),
  }
}
