// One process of the relay suite: libp2p nodes that join a relay, circuits between them, bulk and chat over them. Imports
// nothing of ours, so that a relay of the library and one of ours get the very same clients.
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { createConnection, createServer } from 'node:net'
import { answer } from '../answering.mjs'

const CHUNK = 65_536
const WINDOW = { streamOptions: { maxStreamWindowSize: 1_048_576 } }
const [SINK, STALL, ECHO] = ['/bench/sink/1', '/bench/stall/1', '/bench/echo/1']
const nodes = []
const circuits = []
let received = 0

const base = () => ({
  connectionEncrypters: [noise()],
  streamMuxers: [yamux(WINDOW)],
  connectionMonitor: { enabled: false },
  connectionManager: { maxConnections: 100_000, inboundConnectionThreshold: 100_000, maxIncomingPendingConnections: 10_000 },
})

/** The library's own relay, with its limits lifted as far as it lets one. */
async function libraryRelay() {
  const node = await createLibp2p({
    ...base(),
    streamMuxers: [yamux()],
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    services: { identify: identify(), relay: circuitRelayServer({ reservations: { applyDefaultLimit: false, maxReservations: 10_000 } }) },
  })
  nodes.push(node)
  return { tcp: node.getMultiaddrs()[0].toString() }
}

/** Members that can be reached over the relay. */
async function members({ relay, count }) {
  const times = []
  for (let left = count; left > 0; left -= 1) {
    const started = performance.now()
    const node = await createLibp2p({
      ...base(),
      addresses: { listen: [`${relay}/p2p-circuit`] },
      transports: [tcp(), circuitRelayTransport()],
      services: { identify: identify(), ping: ping() },
    })
    times.push(performance.now() - started)
    await node.handle(SINK, (stream) => stream.addEventListener('message', ({ data }) => (received += data.byteLength)))
    await node.handle(STALL, (stream) => stream.pause())
    await node.handle(ECHO, (stream) => stream.addEventListener('message', ({ data }) => stream.send(data)), { maxInboundStreams: 1_000 })
    nodes.push(node)
  }
  return { ids: nodes.slice(-count).map((each) => each.peerId.toString()), times }
}

/** A client with one circuit to each of the members. */
async function connect({ relay, ids, own = false }) {
  let node
  for (const id of ids) {
    if (own || node === undefined) {
      node = await createLibp2p({
        ...base(),
        transports: [tcp(), circuitRelayTransport()],
        services: { identify: identify() },
      })
      nodes.push(node)
    }
    circuits.push(await node.dial(multiaddr(`${relay}/p2p-circuit/p2p/${id}`)))
  }
  return {}
}

async function pour(connection, { bytes, untilMs = Number.POSITIVE_INFINITY, protocol = SINK }) {
  const stream = await connection.newStream(protocol, { runOnLimitedConnection: true })
  const part = new Uint8Array(CHUNK).fill(7)
  const until = performance.now() + untilMs
  let sent = 0
  const closed = new Promise((resolve) => stream.addEventListener('close', () => resolve('closed'), { once: true }))
  while (sent < bytes && performance.now() < until) {
    sent += CHUNK
    if (stream.send(part)) continue
    const drained = new Promise((resolve) => stream.addEventListener('drain', () => resolve('drained'), { once: true }))
    const late = new Promise((resolve) => setTimeout(() => resolve('late'), Math.min(until - performance.now(), 2 ** 30)).unref())
    if ((await Promise.race([drained, closed, late])) !== 'drained') break
  }
  return sent
}

/** Sends over circuits at once; resolves when all of it was taken, or the time is over. */
async function bulk({ from = 0, to = circuits.length, ...options }) {
  const sent = await Promise.all(circuits.slice(from, to).map((each) => pour(each, options)))
  return { sent: sent.reduce((sum, each) => sum + each, 0) }
}

/** Round trips of 200 bytes, one after the other, over one circuit. */
async function chat({ circuit = 0, count, everyMs = 0 }) {
  const stream = await circuits[circuit].newStream(ECHO, { runOnLimitedConnection: true })
  const text = new Uint8Array(200).fill(1)
  const times = []
  for (let n = 0; n < count; n += 1) {
    const started = performance.now()
    let missing = text.length
    await new Promise((resolve, reject) => {
      const onMessage = ({ data }) => {
        missing -= data.byteLength
        if (missing > 0) return
        stream.removeEventListener('message', onMessage)
        resolve()
      }
      stream.addEventListener('message', onMessage)
      stream.addEventListener('close', () => reject(new Error('the chat was cut')), { once: true })
      stream.send(text)
    })
    times.push(performance.now() - started)
    if (everyMs > 0) await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
  await stream.close()
  return { times }
}

/** What our relay does for bulk at best: two sockets of Node.js joined. */
async function splice({ to }) {
  const server = createServer((near) => {
    const far = createConnection(to, '127.0.0.1')
    near.pipe(far).pipe(near)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: server.address().port }
}

async function rawSink() {
  const server = createServer((socket) => socket.on('data', (data) => (received += data.length)))
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: server.address().port }
}

async function rawPour({ port, bytes }) {
  const socket = createConnection(port, '127.0.0.1')
  const part = Buffer.alloc(CHUNK, 7)
  for (let sent = 0; sent < bytes; sent += CHUNK) if (!socket.write(part)) await new Promise((resolve) => socket.once('drain', resolve))
  return {}
}

const VERBS = {
  libraryRelay,
  members,
  connect,
  bulk,
  chat,
  splice,
  rawSink,
  rawPour,
  received: async () => ({ bytes: received }),
  stop: async () => {
    await Promise.allSettled(nodes.splice(0).map((each) => each.stop()))
    circuits.splice(0)
    return {}
  },
}

answer(VERBS)
