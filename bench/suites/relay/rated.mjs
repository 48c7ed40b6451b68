// Reservations at a steady rate: one connection each, opened beforehand, so that only the request is timed.
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'

const HOP = '/libp2p/circuit/relay/0.2.0/hop'
/** Length 2, then `HopMessage { type: RESERVE }`. */
const RESERVE = Uint8Array.of(2, 0x08, 0x00)

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

async function rated({ relay, perSecond, count }) {
  const connections = []
  for (let n = 0; n < count; n += 1) {
    const node = await createLibp2p({
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionMonitor: { enabled: false },
    })
    connections.push(await node.dial(multiaddr(relay)))
  }
  const started = performance.now()
  const asked = connections.map(async (connection, n) => {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, started + (n * 1_000) / perSecond - performance.now())))
    return reserve(connection)
  })
  return { times: await Promise.all(asked) }
}

process.on('message', async ({ id, args }) => {
  try {
    process.send({ id, result: await rated(args) })
  } catch (error) {
    process.send({ id, error: String(error?.stack ?? error) })
  }
})
process.on('disconnect', () => process.exit(0))
