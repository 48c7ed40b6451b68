// One of the two processes of the message suite: a client of ours and a raw libp2p node that imports nothing of ours.
// Driven over the IPC channel: { do, ... } in, { id, result } out.
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createClient, loadConfig } from '@skein/node'
import { createLibp2p } from 'libp2p'
import { answer } from './answering.mjs'

const ECHO = '/bench/echo/1'
let client
let raw

async function startClient({ dataDir, relay, name }) {
  client = await createClient({
    dataDir,
    ...loadConfig({ dataDir, env: {}, flags: { name, relays: [relay], log: 'error', host: '127.0.0.1' } }),
  })
  return {}
}

/** A stream that sends back each message as it came. */
async function startRaw() {
  raw = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  })
  await raw.handle(ECHO, (stream) => {
    stream.addEventListener('message', ({ data }) => stream.send(data))
  })
  return { addresses: raw.getMultiaddrs().map(String) }
}

async function rawStream({ addresses }) {
  const { multiaddr } = await import('@multiformats/multiaddr')
  const connection = await raw.dial(addresses.map((each) => multiaddr(each)))
  return connection.newStream(ECHO)
}

async function rawRoundTrips({ addresses, count, size }) {
  const stream = await rawStream({ addresses })
  const payload = new Uint8Array(size).fill(1)
  const times = []
  for (let n = 0; n < count; n += 1) {
    const start = performance.now()
    let left = size
    await new Promise((resolve) => {
      const onMessage = ({ data }) => {
        left -= data.byteLength
        if (left > 0) return
        stream.removeEventListener('message', onMessage)
        resolve()
      }
      stream.addEventListener('message', onMessage)
      stream.send(payload)
    })
    times.push(performance.now() - start)
  }
  await stream.close()
  return { times }
}

async function rawPipelined({ addresses, count, size }) {
  const stream = await rawStream({ addresses })
  const payload = new Uint8Array(size).fill(1)
  let left = size * count
  const start = performance.now()
  const done = new Promise((resolve) => {
    stream.addEventListener('message', ({ data }) => {
      left -= data.byteLength
      if (left <= 0) resolve()
    })
  })
  for (let n = 0; n < count; n += 1) {
    if (!stream.send(payload)) await new Promise((resolve) => stream.addEventListener('drain', resolve, { once: true }))
  }
  await done
  const seconds = (performance.now() - start) / 1_000
  await stream.close()
  return { perSecond: count / seconds }
}

const contact = () => client.messenger.book.all()[0]

/** From the call to the delivered state: both databases durable in between. */
async function roundTrips({ count, size }) {
  const text = 'x'.repeat(size)
  const times = []
  for (let n = 0; n < count; n += 1) {
    const start = performance.now()
    const delivered = nextDelivered(1)
    await client.messenger.send(contact(), text)
    await delivered
    times.push(performance.now() - start)
  }
  return { times }
}

function nextDelivered(count) {
  let left = count
  return new Promise((resolve) => {
    const stop = client.messenger.listen((event) => {
      if (event.kind !== 'state' || event.message.state !== 'delivered') return
      left -= 1
      if (left > 0) return
      stop()
      resolve()
    })
  })
}

/** One way, as many under way as the outbox takes. */
async function pipelined({ count, size }) {
  const text = 'x'.repeat(size)
  const delivered = nextDelivered(count)
  const start = performance.now()
  for (let sent = 0; sent < count; sent += 100) await Promise.all(Array.from({ length: 100 }, () => client.messenger.send(contact(), text)))
  await delivered
  return { perSecond: count / ((performance.now() - start) / 1_000) }
}

/** As `pipelined`, texts as people write them: mostly a line, some a paragraph. Resolves when all are delivered. */
async function fill({ count }) {
  const delivered = nextDelivered(count)
  for (let sent = 0; sent < count; sent += 100)
    await Promise.all(Array.from({ length: 100 }, (_, at) => client.messenger.send(contact(), textOf(sent + at))))
  await delivered
  return {}
}

const WORDS = 'well then we could meet at the old bridge after work and walk along the river until it gets dark'.split(' ')

function textOf(at) {
  const length = at % 7 === 0 ? 60 : 3 + (at % 11)
  return `${at}: ${Array.from({ length }, (_, word) => WORDS[(at * 7 + word) % WORDS.length]).join(' ')}`
}

const joined = async () => {
  while (!client.swarm.relays().some((relay) => relay.reserved)) await new Promise((resolve) => setTimeout(resolve, 10))
  return {}
}
const VERBS = {
  startClient,
  startRaw,
  rawRoundTrips,
  rawPipelined,
  roundTrips,
  pipelined,
  fill,
  joined,
  invite: () => client.messenger.invite(),
  add: ({ invite }) => client.messenger.add(invite).then(({ state }) => ({ state })),
  accepted: () => ({ accepted: contact()?.state === 'accepted' }),
  path: () => ({ paths: client.swarm.paths() }),
  stop: async () => void (await Promise.all([client?.stop(), raw?.stop()])),
}

answer(VERBS)
