// A mesh of real clients: first all meet at a relay and become contacts, then each has cables to its neighbours only, no
// route to anybody else and no relay.
import { mkdirSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { countOf } from './mesh-count.mjs'
import { Network } from './network.mjs'
import { RELAYS } from './plan.mjs'
import { ClientProcess, eventually, RelayProcess } from './programs.mjs'

const HOSTILE_NODE = fileURLToPath(new URL('hostile-node.mjs', import.meta.url))
export const FOLDER = '/run/natlab'
const JOIN_WITHIN_MS = 30_000
const BEFRIEND_WITHIN_MS = 60_000
const NEIGHBOURS_WITHIN_MS = 120_000
const [RELAY] = RELAYS

export const box = (number) => `n${number}`
const everybody = (count) => Array.from({ length: count }, (_, number) => box(number))

/** All clients and the relay on one switch. */
function meetingPlace(count) {
  const hosts = [
    { box: RELAY.box, address: `${RELAY.hosts[0]}/24` },
    ...everybody(count).map((name, number) => ({ box: name, address: `${RELAY.net}.${100 + number}/24` })),
  ]
  return {
    boxes: { switch: { bridge: true }, ...Object.fromEntries(hosts.map((host) => [host.box, {}])) },
    wires: hosts.map((host, port) => ({
      ends: [
        { box: 'switch', name: `port${port}` },
        { box: host.box, name: 'eth0', addresses: [host.address] },
      ],
    })),
    routes: [],
  }
}

/** Name of the interface of the cable number `edge`. */
const port = (edge) => `mesh${edge}`

/** A cable of its own for each edge; nobody forwards packets. `uplinks` have a cable to the relay as well. */
function meshPlan(count, edges, uplinks) {
  const boxes = Object.fromEntries(everybody(count).map((name) => [name, {}]))
  const wires = edges.map(([a, b], edge) => ({
    ends: [a, b].map((number, side) => ({ box: box(number), name: port(edge), addresses: [`10.77.${edge}.${side + 1}/30`] })),
  }))
  if (uplinks.length === 0) return { boxes, wires, routes: [] }
  const up = uplinks.map((number, at) => ({
    ends: [
      { box: 'switch', name: `port${at}` },
      { box: box(number), name: 'up0', addresses: [`${RELAY.net}.${100 + number}/24`] },
    ],
  }))
  const relay = {
    ends: [
      { box: 'switch', name: 'relay0' },
      { box: RELAY.box, name: 'eth0', addresses: [`${RELAY.hosts[0]}/24`] },
    ],
  }
  return { boxes: { ...boxes, switch: { bridge: true }, [RELAY.box]: {} }, wires: [...wires, ...up, relay], routes: [] }
}

export class MeshLaboratory {
  clients
  edges
  #network
  #relay
  #uplinks
  #hostile

  /**
   * @param {{ nodes: number, edges: [number, number][], contacts: [number, number][], uplinks?: number[], hostile?: Record<number, string> }} shape `contacts`
   * know each other; `uplinks` reach the relay and join networks; `hostile` says how a node of that number breaks the rules
   */
  static async open({ nodes, edges, contacts, uplinks = [], hostile = {} }) {
    const lab = new MeshLaboratory({ nodes, edges, uplinks, hostile })
    try {
      await lab.#meet(contacts)
      await lab.#scatter()
      return lab
    } catch (error) {
      await lab.close()
      throw error
    }
  }

  constructor({ nodes, edges, uplinks, hostile }) {
    rmSync(FOLDER, { recursive: true, force: true })
    mkdirSync(FOLDER)
    this.edges = edges
    this.#uplinks = uplinks
    this.#hostile = hostile
    this.#relay = new RelayProcess(FOLDER)
    this.clients = everybody(nodes).map((name) => new ClientProcess(FOLDER, name, []))
  }

  async #meet(contacts) {
    this.#network = await Network.build(meetingPlace(this.clients.length), { delay: 0 })
    await this.#relay.start()
    const known = [...new Set(contacts.flat())]
    for (const number of known) await this.clients[number].start(['--relay', this.#relay.url, '--no-lan'])
    for (const number of known) await this.clients[number].joined(JOIN_WITHIN_MS)
    for (const [a, b] of contacts) await this.#befriend(this.clients[a], this.clients[b])
    await Promise.all([...known.map((number) => this.clients[number].end()), this.#relay.end()])
    await this.#network.close()
  }

  async #befriend(a, b) {
    const { invite } = await a.ask(['invite'])
    await b.ask(['add', invite])
    const accepted = async (one, other) =>
      (await one.ask(['contacts'])).contacts.some(({ contact, state }) => contact === other.account && state === 'accepted')
    await eventually('both are contacts', async () => (await accepted(a, b)) && (await accepted(b, a)), BEFRIEND_WITHIN_MS)
  }

  async #scatter() {
    this.#network = await Network.build(meshPlan(this.clients.length, this.edges, this.#uplinks), { delay: 0 })
    // Uplinks reach the relay and not each other: otherwise they would be on one local network.
    for (const at of this.#uplinks.keys()) this.#network.run('switch', ['bridge', 'link', 'set', 'dev', `port${at}`, 'isolated', 'on'])
    if (this.#uplinks.length > 0) await this.#relay.start()
    for (const number of this.clients.keys()) await this.start(number)
    await this.linked()
  }

  /** Starts a client, again perhaps. */
  start(number) {
    const bridge = this.#uplinks.includes(number) ? ['--relay', this.#relay.url, '--bridge'] : []
    const kind = this.#hostile[number]
    return kind === undefined ? this.clients[number].start(bridge) : this.clients[number].start([], [process.execPath, HOSTILE_NODE, kind])
  }

  kill(number) {
    return this.clients[number].end('SIGKILL')
  }

  /** Pulls cables, or puts them back. */
  setEdges(edges, state) {
    for (const edge of edges) for (const number of this.edges[edge]) this.#network.setLink(box(number), port(edge), state)
  }

  /** Resolves when every client has all its neighbours, but for those that it will not keep. */
  linked() {
    const isHostile = (number) => Object.hasOwn(this.#hostile, number)
    const degree = (number) => this.edges.filter((edge) => edge.includes(number) && !edge.some(isHostile)).length
    const hasAll = async (client, number) => (await client.ask(['mesh', 'status'])).neighbours.length >= degree(number)
    const all = async () => (await Promise.all(this.clients.map(hasAll))).every(Boolean)
    return eventually('all neighbours are linked', all, NEIGHBOURS_WITHIN_MS)
  }

  async close() {
    await Promise.all([...this.clients.map((client) => client.end('SIGKILL')), this.#relay.end('SIGKILL')])
    await this.#network?.close()
    rmSync(FOLDER, { recursive: true, force: true })
  }
}

let texts = 0

/** Sends texts from one client to another, `every` milliseconds, no two of a run the same; returns the messages as the sender has them. */
export async function sendMany({ from, to, count, every = 0, wait = 'queued', text = () => `message ${texts} of ${from.box}` }) {
  const sent = []
  for (let number = 0; number < count; number += 1) {
    texts += 1
    const { messages } = await from.ask(['send', to.account, '--wait', wait, '--timeout', '60s', '--', text()])
    sent.push(...messages)
    if (every > 0) await sleep(every)
  }
  return sent
}

/** Waits until all texts between these pairs are delivered, or time is up; returns what came of them. */
export async function tally(pairs, within) {
  const undelivered = async () =>
    (await Promise.all(pairs.map(([from, to]) => from.messages(to))))
      .flat()
      .filter(({ direction, state }) => direction === 'out' && state !== 'delivered' && state !== 'read')
  const settled = async () => (await undelivered()).length === 0
  await eventually('all are delivered', settled, within).catch(() => undefined)
  const counts = await Promise.all(
    pairs.map(async ([from, to]) => countOf(await directed(from, to, 'out'), await directed(to, from, 'in'))),
  )
  const sum = (name) => counts.reduce((total, each) => total + each[name], 0)
  const gaps = counts.map(({ gap }) => gap).filter((gap) => gap !== null)
  return {
    sent: sum('sent'),
    delivered: sum('delivered'),
    lost: sum('sent') - sum('delivered'),
    doubled: sum('doubled'),
    unsent: sum('unsent'),
    longest_gap_ms: gaps.length === 0 ? null : Math.max(...gaps),
    latencies: counts.flatMap(({ latencies }) => latencies),
  }
}

async function directed(one, other, direction) {
  return (await one.messages(other)).filter((message) => message.direction === direction)
}
