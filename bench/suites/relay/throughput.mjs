// How fast bulk passes, and what it costs the relay: ours by raw connections and by circuits, the library's, and two joined
// sockets, in turns.
import { percentile, sleep } from './processes.mjs'

const MIB = 1_048_576
const BYTES = 128 * MIB
/** Of what passes faster, so that joining and warming up are no large part of it. */
const RAW_BYTES = 512 * MIB
const ROUNDS = 3
const WITHIN_MS = 120_000

export async function throughput(all) {
  const runs = { ours: [], circuit: [], library: [], splice: [] }
  for (let round = 0; round < ROUNDS; round += 1) {
    const ours = await all.relay()
    runs.ours.push(await raw(all, ours))
    runs.circuit.push(await relayed(all, { relay: ours.tcp, process: ours }))
    await ours.end()
    const library = all.peer()
    const { tcp } = await library.ask('libraryRelay')
    runs.library.push(await relayed(all, { relay: tcp, process: library }))
    await library.end()
    runs.splice.push(await joined(all))
  }
  const median = (list, field) =>
    percentile(
      list.map((each) => each[field]),
      0.5,
    )
  return {
    relayed_mb_per_s: round1(median(runs.ours, 'mbPerS')),
    splice_ratio: round3(median(runs.ours, 'mbPerS') / median(runs.splice, 'mbPerS')),
    cpu_s_per_gib: round3(median(runs.ours, 'cpuPerGib')),
    cpu_vs_libp2p_relay: round3(median(runs.ours, 'cpuPerGib') / median(runs.library, 'cpuPerGib')),
    circuit_mb_per_s: round1(median(runs.circuit, 'mbPerS')),
    circuit_cpu_s_per_gib: round3(median(runs.circuit, 'cpuPerGib')),
    libp2p_relay_mb_per_s: round1(median(runs.library, 'mbPerS')),
    libp2p_relay_cpu_s_per_gib: round3(median(runs.library, 'cpuPerGib')),
    splice_mb_per_s: round1(median(runs.splice, 'mbPerS')),
    splice_cpu_s_per_gib: round3(median(runs.splice, 'cpuPerGib')),
  }
}

async function relayed(all, { relay, process }) {
  const [receiver, sender] = [all.peer(), all.peer()]
  const { ids } = await receiver.ask('members', { relay, count: 1 })
  await sender.ask('connect', { relay, ids })
  const result = await timed({ receiver, process, send: () => sender.ask('bulk', { bytes: BYTES }) })
  await Promise.all([receiver.end(), sender.end()])
  return result
}

async function raw(all, relay) {
  const [receiver, sender] = [all.peer('bulk-peer.mjs'), all.peer('bulk-peer.mjs')]
  const { device } = await receiver.ask('join', { url: relay.url, tcp: relay.tcp })
  await sender.ask('join', { url: relay.url, tcp: relay.tcp })
  await sender.ask('open', { device })
  const result = await timed({ receiver, process: relay, bytes: RAW_BYTES, send: () => sender.ask('pour', { bytes: RAW_BYTES }) })
  await Promise.all([receiver.end(), sender.end()])
  return result
}

async function joined(all) {
  const [receiver, sender, between] = [all.peer(), all.peer(), all.peer()]
  const { port } = await receiver.ask('rawSink')
  const { port: entry } = await between.ask('splice', { to: port })
  const result = await timed({
    receiver,
    process: between,
    bytes: RAW_BYTES,
    send: () => sender.ask('rawPour', { port: entry, bytes: RAW_BYTES }),
  })
  await Promise.all([receiver.end(), sender.end(), between.end()])
  return result
}

/** From the first byte sent until the last has arrived. */
async function timed({ receiver, process, send, bytes = BYTES }) {
  const [cpu, started] = [process.cpu(), performance.now()]
  const sending = send()
  while ((await receiver.ask('received')).bytes < bytes) {
    if (performance.now() - started > WITHIN_MS) throw new Error('the bulk did not arrive')
    await sleep(5)
  }
  await sending
  const seconds = (performance.now() - started) / 1_000
  return { mbPerS: bytes / 1e6 / seconds, cpuPerGib: (process.cpu() - cpu) / (bytes / (1_024 * MIB)) }
}

const round1 = (value) => Math.round(value * 10) / 10
const round3 = (value) => Math.round(value * 1_000) / 1_000
