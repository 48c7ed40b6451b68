// One end of a raw connection over a relay: our own swarm, told that nothing but the relay leads to the other end.
import { temporaryMember } from '@skein/node/swarm'
import { BulkChannels, endpointOf } from '@skein/node/bulk'
import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { answer } from '../answering.mjs'

const FRAME = 262_144
const systemRandom = { bytes: (count) => new Uint8Array(randomBytes(count)), uniform: Math.random }
const _systemClock = {
  now: Date.now,
  monotonic: () => performance.now(),
  sleep: (ms, { signal } = {}) =>
    pause(ms, true, { signal }).then(
      () => true,
      () => false,
    ),
}
const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }
const taken = []
const own = []
let [swarm, channels] = []
let received = 0

async function join({ url, tcp }) {
  swarm = temporaryMember(url, silent)
  await swarm.start()
  while (swarm.relays()[0]?.reserved !== true) await new Promise((resolve) => setTimeout(resolve, 20))
  const relay = { device: /\/p2p\/([^/]+)$/.exec(tcp)[1], endpoints: [endpointOf(tcp)] }
  channels = new BulkChannels({
    logger: silent,
    random: systemRandom,
    stopping: new AbortController().signal,
    handlers: new Map([['bench', { allows: () => true, onOpened: (each) => void take(each) }]]),
    open: (...args) => swarm.open(...args),
    serve: (...args) => swarm.handle(...args),
    directPaths: async () => ({ dialled: [], wasDialled: false, known: [] }),
    relayPaths: () => [relay],
  })
  channels.serve()
  return { device: swarm.self }
}

async function take(connection) {
  taken.push(connection)
  for await (const frame of connection) received += frame.length
}

async function open({ device }) {
  const outcome = await channels.open(device, 'bench')
  if (outcome.kind !== 'open') throw new Error(outcome.reason)
  own.push(outcome.connection)
  return { via: outcome.connection.via }
}

/** Over all connections that are open, or the first so many of them, until the bytes or the time are over. */
async function pour({ bytes, untilMs = Number.POSITIVE_INFINITY, connections = own.length }) {
  const part = new Uint8Array(FRAME).fill(7)
  const until = performance.now() + untilMs
  const one = async (connection) => {
    for (let sent = 0; sent < bytes && performance.now() < until; sent += FRAME) await connection.write(part)
  }
  await Promise.all(own.slice(0, connections).map(one))
  return {}
}

const VERBS = { join, open, pour, received: async () => ({ bytes: received }) }

answer(VERBS)
