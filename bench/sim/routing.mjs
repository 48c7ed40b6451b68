// Pings over a graph whose links come and go, through the routes of core; with carrying, what finds no path is left to the
// carriers of core. Links have 100 Mbit/s and 1 ms, as in the laboratory that made the graphs; both ends learn of a new link
// at once, and of a lost one after a second of silence.
import { MemoryBundleStore, MeshNode, RouteNode, carryingPolicy } from '@skein/core'
import { seededRandom } from '@skein/core/testing'
import { addressOf, pingHeader, sha256, START_MS } from './identities.mjs'
import { EventQueue } from './event-queue.mjs'
import { numberOf } from './number-of.mjs'
import { readGraph, soundGraph } from './sound-graph.mjs'

const HOP_MS = 1
const BYTES_PER_MS = 12_500
const SILENCE_MS = 1_000
const TICK_MS = 50
/** Static graphs are watched for so long; in moving ones each step has its own length. */
const STATIC_MS = 60_000
/** After the last step, so that its last pings may still arrive. */
const AFTER_MS = 10_000
const LIFE_MS = 5 * 3_600_000

export async function simulate({ graph, seed, carrying }) {
  if (graph === undefined) throw new Error('sim routing needs --graph FILE')
  const random = seededRandom(numberOf('--seed', seed))
  return new RoutingLab(soundGraph(readGraph(graph), random), { random, carrying: carrying !== 'off' }).run()
}

class RoutingLab {
  queue = new EventQueue()
  links = new Map()
  pings = new Map()
  bytes = 0

  constructor(graph, { random, carrying }) {
    this.graph = graph
    this.carrying = carrying
    this.random = random
    this.addresses = Array.from({ length: graph.count }, (_, node) => addressOf(node))
    this.linksOf = this.addresses.map(() => new Set())
    this.stores = this.addresses.map(() => new MemoryBundleStore(5_000_000))
    this.routers = this.addresses.map((address, node) => this.newRouter(address, node))
    this.carriers = this.addresses.map((address, node) => this.newCarrier(address, node))
  }

  get now() {
    return START_MS + this.queue.now
  }

  newRouter(address, node) {
    return new RouteNode({
      addresses: new Set([address]),
      primitives: { sha256 },
      send: (link, frame) => this.transmit(link, node, frame.length, (to) => this.routers[to].frame(link, frame, this.now)),
      verdict: () => 'sound',
      proven: () => undefined,
      arrived: ({ key }) => this.pings.get(key).cureKey,
      delivered: (key) => this.reached(key),
      stranded: (key) => this.carry(key),
    })
  }

  newCarrier(address, node) {
    return new MeshNode({
      alias: () => address,
      addresses: new Set([address]),
      store: this.stores[node],
      policy: carryingPolicy('adaptive'),
      random: this.random,
      primitives: { sha256 },
      send: (link, frame) => this.transmit(link, node, frame.length, (to) => this.carriers[to].control(link, frame, this.now)),
    })
  }

  /** Bytes on the air arrive a little later, if the link is still there. */
  transmit(link, from, bytes, arrive) {
    this.bytes += bytes
    this.queue.after(HOP_MS + bytes / BYTES_PER_MS, () => {
      const ends = this.links.get(link)
      if (ends !== undefined) arrive(ends[0] === from ? ends[1] : ends[0])
    })
  }

  up([a, b]) {
    const link = `${Math.min(a, b)}-${Math.max(a, b)}`
    if (a === b || this.links.has(link)) return
    this.links.set(link, [a, b])
    for (const node of [a, b]) {
      this.linksOf[node].add(link)
      const peer = `${node === a ? b : a}`
      this.routers[node].linkUp(link, { peer, now: this.now })
      if (this.carrying) this.carriers[node].linkUp({ link, peer, bandwidth: BYTES_PER_MS * 1_000 }, this.now)
    }
  }

  down([a, b]) {
    const link = `${Math.min(a, b)}-${Math.max(a, b)}`
    this.links.delete(link)
    for (const node of [a, b]) this.linksOf[node].delete(link)
    this.queue.after(SILENCE_MS, () => {
      if (this.links.has(link)) return
      for (const node of [a, b]) {
        this.routers[node].linkDown(link, this.now)
        this.carriers[node].linkDown(link, this.now)
      }
    })
  }

  ping([from, to]) {
    const header = pingHeader(this.pings.size, { to: this.addresses[to], expiresAt: this.now + LIFE_MS })
    this.pings.set(header.key, { ...header, from, pair: `${from}-${to}`, reachedAt: undefined })
    this.routers[from].dispatch(
      { key: header.key, address: header.address, lock: header.lock, payload: new Uint8Array(header.bytes) },
      this.now,
    )
  }

  reached(key) {
    this.pings.get(key).reachedAt ??= this.queue.now
  }

  carry(key) {
    const { from, cureKey: _, pair: __, reachedAt: ___, ...header } = this.pings.get(key)
    if (this.carrying) this.carriers[from].originate(header, this.now)
  }

  tick(until) {
    for (const router of this.routers) router.tick(this.now)
    if (this.carrying) for (const node of this.carriers.keys()) this.serve(node)
    if (this.queue.now < until) this.queue.after(TICK_MS, () => this.tick(until))
  }

  /** Hands over what this node has to give; at this rate it is there within the tick. */
  serve(node) {
    if (this.stores[node].size === 0) return
    const links = [...this.linksOf[node]]
    const next = () => this.carriers[node].deliverable(links, this.now) ?? this.carriers[node].carriable(links, this.now)
    for (let choice = next(); choice !== undefined; choice = next()) this.hand(node, choice)
  }

  hand(node, choice) {
    const [a, b] = this.links.get(choice.link)
    const receiver = a === node ? b : a
    const answer = this.carriers[receiver].admit(choice.bundle, this.now)
    if (answer.kind !== 'welcome') return this.carriers[node].refused(choice, answer.kind)
    this.bytes += choice.bundle.bytes
    this.carriers[node].began(choice)
    if (!this.carriers[receiver].received(this.carriers[node].finished(choice), choice.link, this.now)) return undefined
    this.reached(choice.bundle.key)
    return this.carriers[receiver].cure(this.pings.get(choice.bundle.key).cureKey, choice.bundle.expiresAt, this.now)
  }

  run() {
    const { links, steps, pings } = this.graph
    for (const link of links) this.up(link)
    for (const pair of pings) this.queue.after(0, () => this.ping(pair))
    for (const step of steps) this.queue.after(step.at, () => this.step(step))
    const ends = steps.map(({ at, milliseconds }) => at + milliseconds + AFTER_MS)
    const until = ends.length > 0 ? ends.reduce((x, y) => Math.max(x, y)) : STATIC_MS
    this.queue.after(0, () => this.tick(until))
    this.queue.run(until)
    return this.figures()
  }

  /** Pings are spread over the whole step: also over links that have just been lost, and to be lost a moment later. */
  step({ add, del, pings, milliseconds }) {
    for (const link of del) this.down(link)
    for (const link of add) this.up(link)
    for (const [at, pair] of pings.entries()) this.queue.after((at / pings.length) * milliseconds, () => this.ping(pair))
  }

  /** A pair is reached when the first ping from one to the other is. */
  figures() {
    const all = [...this.pings.values()]
    const first = new Map(all.map(({ pair }) => [pair, Number.POSITIVE_INFINITY]))
    for (const { pair, reachedAt = Number.POSITIVE_INFINITY } of all) first.set(pair, Math.min(first.get(pair), reachedAt))
    const times = [...first.values()].sort((a, b) => a - b)
    const enough = times[Math.ceil(times.length * 0.99) - 1] ?? Number.POSITIVE_INFINITY
    const arrived = all.filter(({ reachedAt }) => reachedAt !== undefined).length
    return {
      converged_s: enough === Number.POSITIVE_INFINITY ? null : Number((enough / 1_000).toFixed(3)),
      reach: all.length === 0 ? null : Number((arrived / all.length).toFixed(4)),
      bytes_per_node: Math.round(this.bytes / this.graph.count),
    }
  }
}
