// Pairs of light clients for the drain: each member holds a place at two relays; each sender sends numbered messages, keeps
// what is not acknowledged, and sends it again over the next circuit, as our own clients do. Told that a relay goes away, it
// opens the next circuit first.
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { Tally } from './tally.mjs'
import { answer } from '../answering.mjs'

const HOP = '/libp2p/circuit/relay/0.2.0/hop'
/** Length 2, then `HopMessage { type: RESERVE }`. */
const RESERVE = Uint8Array.of(2, 0x08, 0x00)
const NUMBERS = '/bench/numbers/1'
const NOTICE = '/skein/notice/1'
const EVERY_MS = 500
/** Of the time that the relay gives, as our clients take it. */
const MOVE_IN = 0.6
/** In which they return, when told. */
const RETURN_IN_MS = 5_000
/** Full jitter that doubles from the first to the second, as our clients wait. */
const AGAIN_MS = 250
const AGAIN_MOST_MS = 10_000
const DIAL_MS = 10_000

const pairs = []
let talking = true
let running = true
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

async function light() {
  return createLibp2p({
    transports: [tcp(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
    connectionMonitor: { enabled: false },
    connectionManager: { inboundConnectionThreshold: 10_000, maxConnections: 10_000, reconnectRetries: 0 },
  })
}

async function reserve(node, relay) {
  const connection = await node.dial(multiaddr(relay), { signal: AbortSignal.timeout(DIAL_MS) })
  const stream = await connection.newStream(HOP)
  await new Promise((resolve, reject) => {
    stream.addEventListener('message', resolve, { once: true })
    stream.addEventListener('close', () => reject(new Error('no place')), { once: true })
    stream.send(RESERVE)
  })
  return connection
}

/** Keeps a member's place at one relay, whatever happens to the relay. */
async function keep(node, relay) {
  for (let tries = 0; running; tries += 1) {
    try {
      const connection = await reserve(node, relay)
      tries = 0
      await new Promise((resolve) =>
        connection.status === 'open' ? connection.addEventListener('close', resolve, { once: true }) : resolve(),
      )
      await pause(Math.random() * (node.isTold ? RETURN_IN_MS : 0))
      node.isTold = false
    } catch {
      await pause(Math.random() * Math.min(AGAIN_MOST_MS, AGAIN_MS * 2 ** tries))
    }
  }
}

/** Of `RelayNotice` with its length: field 1, a varint. */
function timeIn(data) {
  return [...data.subarray()].slice(2).reduce((sum, byte, at) => sum + (byte & 0x7f) * 2 ** (7 * at), 0)
}

/** Four bytes a number; what is lost with a stream comes again with the next. */
const write = (stream, number) => stream.send(new Uint8Array(new Uint32Array([number]).buffer))
function say({ pair, stream }, number) {
  pair.tally.onWritten(number)
  write(stream, number)
}

function onNumbers(stream, take) {
  let rest = new Uint8Array()
  stream.addEventListener('message', ({ data }) => {
    const whole = new Uint8Array([...rest, ...data.subarray()])
    const full = whole.length - (whole.length % 4)
    for (let at = 0; at < full; at += 4) take(new DataView(whole.buffer).getUint32(at, true))
    rest = whole.slice(full)
  })
}

async function makePair(relays) {
  const [member, sender] = [await light(), await light()]
  const pair = { member, sender, relays, next: 0, waiting: new Set(), tally: new Tally(), arrivals: [] }
  await member.handle(NUMBERS, (stream) => {
    onNumbers(stream, (number) => {
      // Carried again is not shown again: a client knows a message by its number.
      if (pair.tally.onArrived(number)) pair.arrivals.push(performance.now())
      if (stream.status === 'open') write(stream, number)
    })
  })
  // Both ends are connected to both relays, as our clients are.
  await Promise.all([member, sender].flatMap((node) => relays.map((relay) => reserve(node, relay))))
  for (const relay of relays) void keep(member, relay)
  await sender.handle(NOTICE, (stream) => {
    stream.addEventListener('message', ({ data }) => setTimeout(() => pair.onNotice?.('told'), Math.random() * MOVE_IN * timeIn(data)), {
      once: true,
    })
    void stream.close()
  })
  await member.handle(NOTICE, (stream) => {
    member.isTold = true
    void stream.close()
  })
  pairs.push(pair)
  void speak(pair)
}

/** A circuit over one of the relays, and a stream for numbers; everything that waits goes over it again. */
async function open(pair, relay) {
  const address = multiaddr(`${relay}/p2p-circuit/p2p/${pair.member.peerId}`)
  const connection = await pair.sender.dial(address, { signal: AbortSignal.timeout(DIAL_MS), force: true })
  const stream = await connection.newStream(NUMBERS, { runOnLimitedConnection: true })
  onNumbers(stream, (number) => pair.waiting.delete(number))
  for (const number of pair.waiting) say({ pair, stream }, number)
  return { connection, stream }
}

async function speak(pair) {
  for (let turn = 0; running; turn += 1) {
    try {
      const { connection, stream } = await open(pair, pair.relays[turn % pair.relays.length])
      const before = pair.open
      Object.assign(pair, { stream, open: { connection, stream } })
      // The old circuit is left once the new one carries.
      before?.connection.abort(new Error('the next relay'))
      const told = new Promise((resolve) => (pair.onNotice = resolve))
      const why = await Promise.race([
        told,
        new Promise((resolve) => stream.addEventListener('close', () => resolve('closed'), { once: true })),
      ])
      if (why === 'closed') Object.assign(pair, { stream: undefined, open: undefined })
    } catch {
      await pause(Math.random() * AGAIN_MS)
    }
  }
}

async function begin({ relays, count }) {
  for (let n = 0; n < count; n += 1) await makePair(relays)
  for (const pair of pairs) {
    const tick = async () => {
      await pause(Math.random() * EVERY_MS)
      while (talking) {
        pair.waiting.add(pair.next)
        if (pair.stream?.status === 'open') say({ pair, stream: pair.stream }, pair.next)
        pair.next += 1
        await pause(EVERY_MS)
      }
    }
    pair.ticking = tick()
  }
  return {}
}

/** No more numbers; waits for those on the way. */
async function finish() {
  talking = false
  const until = performance.now() + 30_000
  while (pairs.some(({ waiting }) => waiting.size > 0) && performance.now() < until) await pause(50)
  running = false
  const gaps = pairs.map(({ arrivals }) => Math.max(...arrivals.slice(1).map((at, n) => at - arrivals[n] - EVERY_MS)))
  return {
    gaps,
    sent: pairs.reduce((sum, { next }) => sum + next, 0),
    doubled: pairs.reduce((sum, { tally }) => sum + tally.doubled, 0),
    again: pairs.reduce((sum, { tally }) => sum + tally.again, 0),
    lost: pairs.reduce((sum, { next, tally }) => sum + next - tally.distinct, 0),
  }
}

answer({ begin, finish })
