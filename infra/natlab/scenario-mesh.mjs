// The mesh in earnest: real clients, each with cables to its neighbours only.
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { percentiles } from './document.mjs'
import { FOLDER, MeshLaboratory, sendMany, tally } from './mesh-lab.mjs'

const LINE = 9
const RING = 6
const DRAIN_WITHIN_MS = 120_000
const MANY = 30
/** Texts that go in pieces where there are two ways: so many from each, of so many bytes of noise. */
const LARGE = 3
const LARGE_BYTES = 9_000
const OUTAGE_MS = 15_000
const FILE_HOPS = 4
const FILE_MEGABYTES = 5
const FILE_WITHIN_MS = 110_000

const line = (count) => Array.from({ length: count - 1 }, (_, at) => [at, at + 1])

/** A square of `side` by `side` nodes, each with a cable to the right and one down. */
const grid = (side) =>
  Array.from({ length: side * side }, (_, at) => [
    ...((at + 1) % side === 0 ? [] : [[at, at + 1]]),
    ...(at + side < side * side ? [[at, at + side]] : []),
  ]).flat()

async function inMesh(shape, happen) {
  const lab = await MeshLaboratory.open(shape)
  try {
    return await happen(lab)
  } finally {
    await lab.close()
  }
}

/** @param {number} hops between the two whose messages are counted */
function document({ latencies, ...counts }, { scenario, nodes, hops, ...more }) {
  const latency = percentiles(latencies)
  return {
    scenario,
    nodes,
    hops,
    ...counts,
    latency_ms: latency,
    hop_latency_ms: latency === null ? null : Number((latency.p50 / hops).toFixed(1)),
    ...more,
  }
}

/** The first message finds that the other side is away, and the way; it is counted by itself. */
async function first(from, to) {
  const [message] = await sendMany({ from, to, count: 1, wait: 'delivered' })
  return message.delivered_at === null ? null : message.delivered_at - message.created_at
}

/** A file, from offering it until the recipient has it under its name, with the start of two commands in it. */
async function sendFile(from, to) {
  const path = `${FOLDER}/file.bin`
  writeFileSync(path, randomBytes(FILE_MEGABYTES * 1_000_000))
  const timeout = ['--timeout', `${FILE_WITHIN_MS / 1_000}s`]
  const begun = Date.now()
  const [sent, received] = await Promise.all([
    from.call(['send-file', to.account, path, '--wait', ...timeout]),
    to.call(['receive', '--dir', `${FOLDER}/received`, '--from', from.account, '--once', ...timeout]),
  ])
  const ms = Date.now() - begun
  const file = { megabytes: FILE_MEGABYTES, hops: FILE_HOPS }
  if (sent.code !== 0 || received.code !== 0) return { ...file, whole: false, ms, sent: sent.json, received: received.json }
  const whole = readFileSync(`${FOLDER}/received/file.bin`).equals(readFileSync(path))
  return { ...file, whole, ms, mb_per_s: Number(((FILE_MEGABYTES * 1_000) / ms).toFixed(2)) }
}

/** Nine in a line, eight hops from end to end. `--tries` is the number of messages there and back, times ten. */
async function meshLine({ scenario, tries }) {
  const hops = LINE - 1
  return inMesh(
    {
      nodes: LINE,
      edges: line(LINE),
      contacts: [
        [0, hops],
        [0, FILE_HOPS],
      ],
    },
    async ({ clients }) => {
      const [a, b] = [clients[0], clients[hops]]
      const first_message_ms = await first(a, b)
      await first(b, a)
      await sendMany({ from: a, to: b, count: tries * 10 })
      await sendMany({ from: b, to: a, count: tries * 10 })
      const path = await a.way(b)
      const counts = await tally(
        [
          [a, b],
          [b, a],
        ],
        DRAIN_WITHIN_MS,
      )
      const file = await sendFile(a, clients[FILE_HOPS])
      return document(counts, { scenario, nodes: LINE, hops, first_message_ms, ...path, file })
    },
  )
}

/** A square of nine: all corners talk across it. */
async function meshGrid({ scenario }) {
  const corners = [
    [0, 8],
    [2, 6],
  ]
  return inMesh({ nodes: 9, edges: grid(3), contacts: corners }, async ({ clients }) => {
    const pairs = corners.flatMap(([a, b]) => [
      [clients[a], clients[b]],
      [clients[b], clients[a]],
    ])
    for (const [from, to] of pairs) await first(from, to)
    await Promise.all(pairs.map(([from, to]) => sendMany({ from, to, count: MANY / 2 })))
    const large = await sendLarge(pairs)
    const counts = await tally(pairs, DRAIN_WITHIN_MS)
    return document(counts, { scenario, nodes: 9, hops: 4, large })
  })
}

/** Large messages, one after the other; `in_pieces` of them over separate ways, `joined` at the recipients. */
async function sendLarge(pairs) {
  const text = () => randomBytes(LARGE_BYTES).toString('base64')
  for (const [from, to] of pairs) await sendMany({ from, to, count: LARGE, wait: 'delivered', text })
  const views = await Promise.all([...new Set(pairs.flat())].map((client) => client.ask(['mesh', 'status'])))
  const sum = (name) => views.reduce((total, { pieces }) => total + pieces[name], 0)
  return {
    sent: pairs.length * LARGE,
    in_pieces: sum('over_ways'),
    with_carriers: sum('over_carriers'),
    over_one_way: sum('over_one_way'),
    joined: sum('joined'),
  }
}

/** A ring of six, so that two ways lead to the other side that share no node: what is large goes over both. Then one of them is cut. */
async function meshRing({ scenario }) {
  const edges = Array.from({ length: RING }, (_, at) => [at, (at + 1) % RING])
  return inMesh({ nodes: RING, edges, contacts: [[0, RING / 2]] }, async (lab) => {
    const [a, b] = [lab.clients[0], lab.clients[RING / 2]]
    await first(a, b)
    const large = await sendLarge([[a, b]])
    const { reasons } = await a.ask(['why', b.account])
    lab.setEdges([1], 'down')
    const cut = await sendLarge([[a, b]])
    const counts = await tally([[a, b]], DRAIN_WITHIN_MS)
    return document(counts, { scenario, nodes: RING, hops: RING / 2, large, cut, why: reasons.at(-1)?.detail })
  })
}

/** The same square; while opposite corners talk, one node after the other on their way is killed and started again. */
async function meshChurn({ scenario }) {
  return inMesh({ nodes: 9, edges: grid(3), contacts: [[0, 8]] }, async (lab) => {
    const [a, b] = [lab.clients[0], lab.clients[8]]
    await first(a, b)
    const talk = sendMany({ from: a, to: b, count: MANY, every: 500 })
    const victims = [4, 1, 5]
    for (const victim of victims) {
      await sleep(4_000)
      await lab.kill(victim)
      await sleep(4_000)
      await lab.start(victim)
    }
    await talk
    return document(await tally([[a, b]], DRAIN_WITHIN_MS), { scenario, nodes: 9, hops: 4, killed: victims.length })
  })
}

/** A line of nine is cut in the middle while its ends talk, and healed. `healed_ms` until all that waited is delivered. */
async function meshPartition({ scenario }) {
  const hops = LINE - 1
  return inMesh({ nodes: LINE, edges: line(LINE), contacts: [[0, hops]] }, async (lab) => {
    const [a, b] = [lab.clients[0], lab.clients[hops]]
    await first(a, b)
    lab.setEdges([3], 'down')
    await sleep(OUTAGE_MS)
    await sendMany({ from: a, to: b, count: MANY / 2 })
    const waiting = (await a.messages(b)).filter(({ state }) => state === 'queued' || state === 'carried').length
    lab.setEdges([3], 'up')
    const healed = Date.now()
    const counts = await tally([[a, b]], DRAIN_WITHIN_MS)
    return document(counts, {
      scenario,
      nodes: LINE,
      hops,
      hop_latency_ms: null,
      outage_ms: OUTAGE_MS,
      waiting,
      healed_ms: Date.now() - healed,
    })
  })
}

/** Three islands of three in a line; one of each has an uplink and joins the networks. Those furthest from it talk. */
async function meshIslands({ scenario }) {
  const islands = [
    [0, 1, 2],
    [3, 4, 5],
    [6, 7, 8],
  ]
  const edges = islands.flatMap(([far, near, bridge]) => [
    [far, near],
    [near, bridge],
  ])
  const uplinks = islands.map(([, , bridge]) => bridge)
  const contacts = [
    [0, 3],
    [3, 6],
    [0, 6],
    // The other two bridges do not know each other: the uplink of the first joins all three.
    [2, 5],
    [2, 8],
  ]
  return inMesh({ nodes: 9, edges, contacts, uplinks }, async ({ clients }) => {
    const pairs = [
      [0, 3],
      [3, 6],
      [6, 0],
    ].map(([from, to]) => [clients[from], clients[to]])
    for (const [from, to] of pairs) await first(from, to)
    await Promise.all(pairs.map(([from, to]) => sendMany({ from, to, count: MANY / 3 })))
    const counts = await tally(pairs, DRAIN_WITHIN_MS)
    return document(counts, { scenario, nodes: 9, hops: 5 })
  })
}

/** The square again, with a black hole in its middle, a flooder and a replayer at its edge; what way is left leads over the replayer. */
const meshHostile = ({ scenario }) => acrossHostile(scenario, { 4: 'black-hole', 1: 'flooder', 7: 'replayer' })

/** As before, with one that gives on half of what it gets in the middle, a thief of tags and, at the edge, one machine that is four devices, each of which boasts of everybody it has met. */
const meshHostile2 = ({ scenario }) => acrossHostile(scenario, { 4: 'selective', 1: 'thief', 7: 'crowd' })

async function acrossHostile(scenario, hostile) {
  return inMesh({ nodes: 9, edges: grid(3), contacts: [[0, 8]], hostile }, async ({ clients }) => {
    const pairs = [
      [clients[0], clients[8]],
      [clients[8], clients[0]],
    ]
    for (const [from, to] of pairs) await first(from, to)
    await Promise.all(pairs.map(([from, to]) => sendMany({ from, to, count: MANY })))
    return document(await tally(pairs, DRAIN_WITHIN_MS), { scenario, nodes: 9, hops: 4, hostile: Object.values(hostile) })
  })
}

export const MESH_SCENARIOS = {
  'mesh-line': meshLine,
  'mesh-grid': meshGrid,
  'mesh-ring': meshRing,
  'mesh-churn': meshChurn,
  'mesh-partition': meshPartition,
  'mesh-islands': meshIslands,
  'mesh-hostile': meshHostile,
  'mesh-hostile-2': meshHostile2,
}
