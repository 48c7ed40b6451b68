// Members that do nothing, as light as they can be while they are what a relay sees of a client: one libp2p each, with
// Noise, yamux, identify and ping, and a place at the relay. Several processes share them.
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { answer } from '../answering.mjs'

const HOP = '/libp2p/circuit/relay/0.2.0/hop'
/** Length 2, then `HopMessage { type: RESERVE }`. */
const RESERVE = Uint8Array.of(2, 0x08, 0x00)
const AT_ONCE = 4
const nodes = []
const connections = []

async function connect(relay) {
  const node = await createLibp2p({
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify(), ping: ping() },
    connectionMonitor: { enabled: false },
    connectionManager: { reconnectRetries: 0 },
  })
  nodes.push(node)
  const connection = await node.dial(multiaddr(relay))
  connections.push(connection)
  return connection
}

/** @returns ms from the request to its answer */
async function reserve(connection) {
  const started = performance.now()
  const stream = await connection.newStream(HOP)
  await new Promise((resolve, reject) => {
    stream.addEventListener('message', resolve, { once: true })
    stream.addEventListener('close', () => reject(new Error('no answer')), { once: true })
    stream.send(RESERVE)
  })
  const ms = performance.now() - started
  await stream.close()
  return ms
}

/** Some more members. */
async function hold({ relay, count }) {
  let left = count
  const one = async () => {
    while (left > 0) {
      left -= 1
      await reserve(await connect(relay))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
  return { open: connections.filter(({ status }) => status === 'open').length }
}

/** Places at a steady rate; each connection is there before, so that only the request is timed. */
async function rated({ relay, perSecond, count }) {
  const asking = []
  for (let n = 0; n < count; n += 1) asking.push(await connect(relay))
  const started = performance.now()
  const asked = asking.map(async (connection, n) => {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, started + (n * 1_000) / perSecond - performance.now())))
    return reserve(connection)
  })
  return { times: await Promise.all(asked) }
}

const VERBS = { hold, rated }

answer(VERBS)
