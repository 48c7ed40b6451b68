// Floods of 1,000 nodes: how many nodes get a bundle twice, and how long it takes, beside gossipsub v1.2 on the same graph,
// links and clock. Links take 10 to 40 ms; a node sends one frame after the other at 50 Mbit/s. Gossipsub is the best that its
// specification allows: whole messages to all mesh peers but those that have sent it or have said IDONTWANT in time.
import { RouteNode } from '@skein/core'
import { seededRandom } from '@skein/core/testing'
import { EventQueue } from './event-queue.mjs'
import { addressOf, identityOf, sha256, START_MS } from './identities.mjs'
import { numberOf } from './number-of.mjs'

const BYTES_PER_MS = 6_250
const TICK_MS = 10
const EVERY_MS = 200
/** IDONTWANT: an id and its framing. */
const NOTICE_BYTES = 40

export async function simulate({ nodes = '1000', degree = '8', bytes = '1024', messages = '200', seed }) {
  const shape = {
    nodes: numberOf('--nodes', nodes, { least: 2, most: 100_000 }),
    degree: numberOf('--degree', degree, { least: 2 }),
    bytes: numberOf('--bytes', bytes, { least: 64 }),
    messages: numberOf('--messages', messages, { least: 1 }),
  }
  const hybrid = new Hybrid(shape, Number(seed)).run()
  const gossipsub = new Gossipsub(shape, Number(seed)).run()
  return { ...shape, hybrid, gossipsub, latency_ratio: Number((hybrid.latency_ms / gossipsub.latency_ms).toFixed(3)) }
}

/** What both have in common: the graph, the wires and the count. */
class Lab {
  queue = new EventQueue()
  arrivals = new Map()
  bytesSent = 0

  constructor(shape, seed) {
    this.shape = shape
    this.random = seededRandom(seed)
    this.links = Array.from({ length: shape.nodes }, () => new Map())
    this.free = Array.from({ length: shape.nodes }, () => 0)
    for (let at = 0; at < shape.nodes; at += 1) this.wire(at, (at + 1) % shape.nodes)
    for (let edge = 0; edge < (shape.nodes * (shape.degree - 2)) / 2; edge += 1) this.wireRandomly()
  }

  wireRandomly() {
    const open = (at) => this.links[at].size < this.shape.degree
    for (let tries = 0; tries < 1_000; tries += 1) {
      const [a, b] = [this.anybody(), this.anybody()]
      if (a !== b && open(a) && open(b) && !this.links[a].has(b)) return this.wire(a, b)
    }
    return undefined
  }

  wire(a, b) {
    const delay = 10 + 30 * this.random.uniform()
    this.links[a].set(b, delay)
    this.links[b].set(a, delay)
  }

  anybody() {
    return Math.floor(this.random.uniform() * this.shape.nodes)
  }

  /** Frames of a node leave one after the other. */
  send(from, to, size, arrive) {
    const begins = Math.max(this.queue.now, this.free[from])
    this.free[from] = begins + size / BYTES_PER_MS
    this.bytesSent += size
    this.queue.after(this.free[from] + this.links[from].get(to) - this.queue.now, arrive)
  }

  run() {
    const { messages } = this.shape
    for (let number = 0; number < messages; number += 1) this.queue.after(number * EVERY_MS, () => this.begin(number))
    const until = messages * EVERY_MS + 5_000
    this.every(until)
    this.queue.run(until)
    return this.figures()
  }

  begin(number) {
    const from = this.anybody()
    this.arrivals.set(number, { sentAt: this.queue.now, at: new Map([[from, 0]]), copies: 0 })
    this.publish(number, from)
  }

  arrived(number, node) {
    const message = this.arrivals.get(number)
    message.copies += 1
    if (!message.at.has(node)) message.at.set(node, this.queue.now - message.sentAt)
  }

  /** The second half: by then the nodes know each other. */
  figures() {
    const { nodes, messages } = this.shape
    const late = [...this.arrivals].filter(([number]) => number >= messages / 2).map(([, message]) => message)
    const times = late.map(({ at }) => [...at.values()].sort((a, b) => a - b))
    const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length
    return {
      reach: Number((mean(late.map(({ at }) => at.size)) / nodes).toFixed(5)),
      duplicates: Number(mean(late.map(({ at, copies }) => (copies - (at.size - 1)) / (nodes - 1))).toFixed(3)),
      latency_ms: Number(mean(times.map(mean)).toFixed(1)),
      latency_p99_ms: Number(mean(times.map((list) => list[Math.ceil(list.length * 0.99) - 1])).toFixed(1)),
      bytes_per_node: Math.round(this.bytesSent / nodes / messages),
    }
  }
}

class Hybrid extends Lab {
  constructor(shape, seed) {
    super(shape, seed)
    this.numbers = new Map()
    this.routers = this.links.map((_, node) => this.newRouter(node))
    for (const [node, links] of this.links.entries()) for (const other of links.keys()) this.routers[node].linkUp(`${other}`)
  }

  newRouter(node) {
    return new RouteNode({
      addresses: new Set(),
      primitives: { sha256 },
      send: (link, frame) => this.transmit(node, Number(link), frame),
      // The bundle itself has come: the first time it is judged, later ones are surplus.
      verdict: () => 'sound',
      proven: () => undefined,
      arrived: () => undefined,
      delivered: () => undefined,
      stranded: () => undefined,
    })
  }

  transmit(from, to, frame) {
    this.send(from, to, frame.length, () => {
      if (frame.length >= this.shape.bytes) this.arrived(this.numberOf(frame), to)
      this.routers[to].frame(`${from}`, frame, START_MS + this.queue.now)
    })
  }

  /** Each bundle begins with its number. */
  numberOf(frame) {
    return new DataView(frame.buffer, frame.byteOffset + frame.length - this.shape.bytes).getUint32(0)
  }

  publish(number, from) {
    const payload = new Uint8Array(this.shape.bytes)
    new DataView(payload.buffer).setUint32(0, number)
    const { key, lock } = identityOf(`gossip ${number}`)
    this.routers[from].explore({ key, lock, address: addressOf(-1 - number), payload }, { now: START_MS + this.queue.now })
  }

  every(until) {
    for (const router of this.routers) if (router.isWaiting) router.tick(START_MS + this.queue.now)
    if (this.queue.now < until) this.queue.after(TICK_MS, () => this.every(until))
  }
}

class Gossipsub extends Lab {
  every() {}

  publish(number, from) {
    const message = this.arrivals.get(number)
    message.unwanted = new Set()
    this.pass(number, from, undefined)
  }

  pass(number, node, from) {
    const { unwanted } = this.arrivals.get(number)
    const others = [...this.links[node].keys()].filter((other) => other !== from)
    for (const other of others) this.send(node, other, NOTICE_BYTES, () => unwanted.add(`${other} ${node}`))
    for (const other of others)
      if (!unwanted.has(`${node} ${other}`))
        this.send(node, other, this.shape.bytes, () => this.receive(number, { node: other, from: node }))
  }

  receive(number, { node, from }) {
    const isNew = !this.arrivals.get(number).at.has(node)
    this.arrived(number, node)
    if (isNew) this.pass(number, node, from)
  }
}
