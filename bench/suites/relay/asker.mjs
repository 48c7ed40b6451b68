// One who asks a relay for one of its services, again and again: some questions at once, each when the one before is answered.
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { communityNetwork, encodePresenceFrame, makeIdentity, openIdentity, presenceTopic, signPresence } from '@skein/core'
import { BINDING_REQUEST, encodeStun, nativePrimitives, systemClock, systemRandom, temporaryMember } from '@skein/node/swarm'
import { createLibp2p } from 'libp2p'
import { answer } from '../answering.mjs'

const AT_ONCE = 16
const ANSWER_WITHIN_MS = 10_000
const KAD = '/skein/kad/1.0.0'
/** `Message { type: FIND_NODE, key }` behind its length. */
const findNode = (key) => Uint8Array.of(4 + key.length, 0x08, 0x04, 0x12, key.length, ...key)
const within = () => AbortSignal.timeout(ANSWER_WITHIN_MS)

/** For each service what makes one who asks: a function that resolves with the answer. */
const SERVICES = {
  stun: async ({ stun }) => {
    const [, host, port] = /^stun:(.*):(\d+)$/.exec(stun)
    const socket = createSocket('udp4')
    return async () => {
      const answer = once(socket, 'message', { signal: within() })
      socket.send(encodeStun({ type: BINDING_REQUEST, transaction: randomBytes(12), attributes: [] }), Number(port), host)
      await answer
    }
  },
  reflector: async ({ reflector }) => {
    const { hostname, port } = new URL(`tcp://${reflector}`)
    return async () => {
      const socket = connect(Number(port), hostname)
      await once(socket, 'data', { signal: within() })
      socket.destroy()
    }
  },
  relay_json: async ({ url }) => fetching(`${url}/relay.json`),
  page: async ({ url }) => fetching(`${url}/`),
  dht: async ({ tcp: address }) => {
    const node = await createLibp2p({
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: { identify: identify() },
      connectionMonitor: { enabled: false },
    })
    const connection = await node.dial(multiaddr(address))
    return async () => {
      const stream = await connection.newStream(KAD)
      const answer = new Promise((resolve, reject) => {
        stream.addEventListener('message', resolve, { once: true })
        stream.addEventListener('close', () => reject(new Error('no answer')), { once: true })
      })
      stream.send(findNode(randomBytes(32)))
      await answer
      await stream.close()
    }
  },
  gossip: presences,
}

const fetching = (url) => async () => {
  const response = await fetch(url, { headers: { 'accept-encoding': 'gzip' }, signal: within() })
  await response.arrayBuffer()
  if (!response.ok) throw new Error(`${url} is answered with ${response.status}`)
}

let members

/** A presence is answered when another member has it. */
async function presences({ url, id }) {
  members ??= Promise.all([member(url, id), member(url, id)])
  const [sender, receiver] = await members
  const identity = openIdentity(nativePrimitives, makeIdentity(systemRandom, 1))
  const network = communityNetwork(nativePrimitives, id)
  let at = Date.now()
  const tell = async () => {
    at += 1
    const own = signPresence(nativePrimitives, identity, { network, name: '', lease: 0, at })
    const frame = encodePresenceFrame({ kind: 'presence', own })
    const heard = receiver.heard(frame)
    await sender.swarm.publish(presenceTopic(id), frame)
    await heard
  }
  // The first ones are lost until the mesh has formed.
  for (;;) if (await Promise.race([tell().then(() => true), systemClock.sleep(1_000).then(() => false)])) return tell
}

async function member(url, id) {
  const ignore = () => undefined
  const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore, child: () => logger }
  const swarm = temporaryMember(url, logger)
  const waiting = new Map()
  await swarm.start()
  swarm.subscribe(presenceTopic(id), async (bytes) => {
    const name = Buffer.from(bytes).toString('hex')
    waiting.get(name)?.()
    waiting.delete(name)
    return 'accept'
  })
  return { swarm, heard: (bytes) => new Promise((resolve) => waiting.set(Buffer.from(bytes).toString('hex'), resolve)) }
}

let askers = []

const VERBS = {
  prepare: async ({ service, relay }) => {
    askers = await Promise.all(Array.from({ length: AT_ONCE }, () => SERVICES[service](relay)))
  },
  ask: async ({ forMs }) => {
    const times = []
    const started = performance.now()
    const work = async (ask) => {
      while (performance.now() - started < forMs) {
        const before = performance.now()
        await ask()
        times.push(performance.now() - before)
      }
    }
    await Promise.all(askers.map(work))
    return { times, ms: performance.now() - started }
  },
}

answer(VERBS)
