// What a network of each kind really does, found out with the tests of RFC 5780 from inside: that the laboratory's NATs
// behave as their kinds say. Two addresses and two ports of a mirror stand on the internet.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { KINDS } from './kinds.mjs'
import { inside, Network } from './network.mjs'
import { planPair, RELAYS } from './plan.mjs'

const AGENT = fileURLToPath(new URL('behaviour-agent.mjs', import.meta.url))
const [{ box: MIRROR_BOX, hosts: MIRRORS, net6 }] = RELAYS
const MIRROR6 = `${net6}::10`
const PORTS = [7001, 7002]
const TCP_PORTS = [80, 443, 4001]
/** Where both a UDP and a TCP mirror stand, four of them. */
const TARGETS = MIRRORS.flatMap((host) => PORTS.map((port) => [host, port]))
/** Silence this long means that nothing gets through; there is no delay in these networks. */
const SILENCE_MS = 400
/** Punching is repeated, for the first packet of the earlier side is lost. */
const PUNCHES = 3
/** A question is repeated: a busy machine answers late, and routers that have not met look for each other for seconds. */
const ASKS = 3
const ASKS_V6 = 12

/** An agent in a box (behaviour-agent.mjs), and waiting for what it says. */
class Agent {
  #child
  #heard = []
  #wake = () => undefined

  constructor(box) {
    const [program, ...args] = [...inside(box), process.execPath, AGENT]
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#heard.push(JSON.parse(line))
      this.#wake()
    })
  }

  tell(order) {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`)
  }

  /** The first message that fits, taken out; `undefined` after `within` milliseconds. */
  async hear(fits, within = SILENCE_MS) {
    for (const end = performance.now() + within; ; ) {
      const at = this.#heard.findIndex(fits)
      if (at >= 0) return this.#heard.splice(at, 1)[0]
      const left = end - performance.now()
      if (left <= 0) return undefined
      await new Promise((resolve) => {
        this.#wake = resolve
        setTimeout(resolve, left)
      })
    }
  }

  async open(name, rest = {}) {
    this.tell({ open: name, ...rest })
    return (await this.hear(({ opened }) => opened === name, 10_000)).port
  }

  /** The address a mirror sees, `[host, port]`, or `undefined` after `asks` questions without an answer. */
  async mapped(socket, target, asks = ASKS) {
    const reply = await this.ask({ socket, to: target, text: 'who', by: target, asks })
    return reply === undefined ? undefined : JSON.parse(reply.text)
  }

  /** Sends `text` to a mirror until the mirror `by` answers; ends at once where there is no way at all. */
  async ask({ socket, to, text, by, asks = ASKS }) {
    const fits = (heard) => heard.unreachable === socket || (heard.received === socket && String(heard.from) === String(by))
    for (let asked = 0; asked < asks; asked += 1) {
      this.tell({ send: socket, to, text })
      const reply = await this.hear(fits)
      if (reply !== undefined) return reply.text === undefined ? undefined : reply
    }
    return undefined
  }

  async tcp(to, from) {
    const id = `${to} ${from}`
    this.tell({ tcp: id, to, from })
    const { text } = await this.hear((each) => each.tcp === id, 10_000)
    return text === null ? undefined : JSON.parse(text)
  }

  close() {
    this.#child.kill('SIGKILL')
  }
}

async function startMirror() {
  const mirror = new Agent(MIRROR_BOX)
  for (const [host, port] of TARGETS) await mirror.open(`${host}:${port}`, { host, port, mirror: true })
  for (const port of PORTS) await mirror.open(`${MIRROR6}:${port}`, { host: MIRROR6, port, mirror: true })
  for (const host of MIRRORS) for (const port of [...PORTS, ...TCP_PORTS]) mirror.tell({ listen: [host, port] })
  for (let open = 0; open < MIRRORS.length * (PORTS.length + TCP_PORTS.length); open += 1) {
    await mirror.hear(({ listening }) => listening !== undefined, 10_000)
  }
  return mirror
}

/** `kept`, `independent`, `sequential`, `random` or `blocked`, from the outside ports in the order they were taken. */
export function nameMapping(ports, inner) {
  if (ports.some((port) => port === undefined)) return 'blocked'
  if (new Set(ports).size === 1) return ports[0] === inner ? 'kept' : 'independent'
  const steps = ports.slice(1).map((port, at) => port - ports[at])
  return steps.every((step) => step > 0 && step <= 4) ? 'sequential' : 'random'
}

async function udpMapping(host) {
  const inner = await host.open('mapping')
  const seen = []
  for (const target of TARGETS) seen.push(await host.mapped('mapping', target))
  return {
    mapping: nameMapping(
      seen.map((each) => each?.[1]),
      inner,
    ),
    address: seen[0]?.[0],
  }
}

/** RFC 5780 §4.4: may somebody else answer, or another port of the same host? */
async function udpFiltering(host) {
  await host.open('filtering')
  if ((await host.mapped('filtering', TARGETS[0])) === undefined) return 'blocked'
  if (await answeredBy(host, 'filtering', { asked: TARGETS[0], by: [MIRRORS[1], PORTS[1]] })) return 'open'
  return (await answeredBy(host, 'filtering', { asked: TARGETS[0], by: [MIRRORS[0], PORTS[1]] })) ? 'address' : 'strict'
}

async function answeredBy(host, socket, { asked, by }) {
  return (await host.ask({ socket, to: asked, text: by.join(':'), by })) !== undefined
}

async function tcpMapping(host) {
  const inner = anyPort()
  const seen = []
  for (const target of TARGETS) seen.push(await host.tcp(target, inner))
  return nameMapping(
    seen.map((each) => each?.[1]),
    inner,
  )
}

async function openPorts(host) {
  const open = []
  for (const port of TCP_PORTS) if ((await host.tcp([MIRRORS[0], port])) !== undefined) open.push(port)
  return open
}

/** `none`, `open` or `firewalled`. */
async function ipv6(host) {
  const [asked, by] = PORTS.map((port) => [MIRROR6, port])
  await host.open('v6', { host: '::' })
  const seen = await host.mapped('v6', asked, ASKS_V6)
  if (seen === undefined) return 'none'
  return (await answeredBy(host, 'v6', { asked, by })) ? 'open' : 'firewalled'
}

/** Whether two devices of this kind reach each other at the addresses a mirror sees, by UDP: both send, as in a punch. */
async function meet(a, b) {
  await Promise.all([a.open('meet'), b.open('meet')])
  const [seenA, seenB] = [await a.mapped('meet', TARGETS[0]), await b.mapped('meet', TARGETS[0])]
  if (seenA === undefined || seenB === undefined) return false
  for (let round = 0; round < PUNCHES; round += 1) {
    a.tell({ send: 'meet', to: seenB, text: 'punch' })
    b.tell({ send: 'meet', to: seenA, text: 'punch' })
    const both = await Promise.all([a, b].map((each) => each.hear(({ text }) => text === 'punch')))
    if (both.every((each) => each !== undefined)) return true
  }
  return false
}

/** The same by TCP, both connecting from the port that the mirror saw. */
async function meetTcp(a, b) {
  const from = anyPort()
  const [seenA, seenB] = [await a.tcp(TARGETS[0], from), await b.tcp(TARGETS[0], from)]
  if (seenA === undefined || seenB === undefined) return false
  a.tell({ punch: 'a', from, to: seenB })
  b.tell({ punch: 'b', from, to: seenA })
  const both = await Promise.all([a, b].map((each) => each.hear(({ punch }) => punch !== undefined, 10_000)))
  return both.every(({ through }) => through)
}

/** Explicit, and never one that something listens on. */
const anyPort = () => 20_000 + Math.floor(Math.random() * 20_000)

/** @returns one line of the document: what a host of this kind found out */
async function behaviourOf(kind) {
  const network = await Network.build(planPair(kind, kind), { delay: 0 })
  const mirror = await startMirror()
  const [a, b] = [new Agent('a'), new Agent('b')]
  try {
    const { mapping, address } = await udpMapping(a)
    return {
      kind,
      means: KINDS[kind].means,
      udp_mapping: mapping,
      udp_filtering: await udpFiltering(a),
      tcp_mapping: await tcpMapping(a),
      tcp_ports: await openPorts(a),
      seen_as: address ?? null,
      ipv6: await ipv6(a),
      punch_udp: await meet(a, b),
      punch_tcp: await meetTcp(a, b),
    }
  } finally {
    for (const agent of [mirror, a, b]) agent.close()
    await network.close()
  }
}

/** @param {string[]} kinds @returns {{ kinds: object[] }} */
export async function measureBehaviour(kinds) {
  const found = []
  for (const kind of kinds) found.push(await behaviourOf(kind))
  return { kinds: found }
}
