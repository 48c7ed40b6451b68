import { createHash } from 'node:crypto'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, Libp2p, PrivateKey, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { lpStream } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createRelayStack, type RelayStack } from '../relay-stack.ts'
import { securedAndMuxed } from '../stack-parts.ts'
import { silentLogger } from '../test-network.ts'
import { HOP_PROTOCOL, STOP_PROTOCOL } from './hop-service.ts'
import { type CircuitChange, OPEN_RULES, type Passage, type RelayRules } from './rules.ts'

const MIB = 1_048_576
const WITHIN = { timeout: 30_000 }
const SINK = '/test/sink/1'

const running: { stop(): unknown }[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()))
})

interface Watched {
  readonly relay: RelayStack
  readonly address: string
  readonly passages: Passage[]
  readonly changes: CircuitChange[]
  readonly answers: string[]
}

async function relayWith(rules: Partial<RelayRules> = {}): Promise<Watched> {
  const passages: Passage[] = []
  const changes: CircuitChange[] = []
  const answers: string[] = []
  const relay = await createRelayStack({
    privateKeySeed: new Uint8Array(32).fill(9),
    listen: { host: '127.0.0.1', tcp: 0, ws: 'off', webrtc: 'off' },
    durable: { get: () => undefined, put: () => undefined, delete: () => undefined },
    logger: silentLogger,
    rules: {
      ...OPEN_RULES,
      onPassage: (_, passage) => (passages.push(passage), 0),
      onCircuit: (_, change) => void changes.push(change),
      onRequest: (kind, status) => void answers.push(`${kind} ${status}`),
      ...rules,
    },
  })
  running.push(relay)
  return { relay, address: relay.addresses()[0] ?? '', passages, changes, answers }
}

async function client(listen: readonly string[] = [], key: { readonly privateKey?: PrivateKey } = {}): Promise<Libp2p> {
  const node = await createLibp2p({
    ...key,
    addresses: { listen: [...listen] },
    transports: [tcp(), circuitRelayTransport()],
    ...securedAndMuxed(),
    services: { identify: identify() },
  })
  running.push(node)
  return node
}

/** A member that can be reached, and somebody who has reached it. */
async function pair({ relay, address }: Watched): Promise<{ member: Libp2p; sender: Libp2p; connection: Connection }> {
  const member = await client([`${address}/p2p-circuit`])
  await vi.waitFor(() => expect(relay.counts().reservations).toBe(1), WITHIN)
  const sender = await client()
  const connection = await sender.dial(multiaddr(`${address}/p2p-circuit/p2p/${member.peerId.toString()}`))
  return { member, sender, connection }
}

/** Sends what `stream` takes, and says how much that is. */
async function sendAll(stream: Stream, bytes: Uint8Array, sent: { bytes: number }): Promise<void> {
  for (let at = 0; at < bytes.length; at += 65_536) {
    const part = bytes.subarray(at, at + 65_536)
    sent.bytes += part.length
    if (!stream.send(part)) await new Promise((resolve) => stream.addEventListener('drain', resolve, { once: true }))
  }
  await stream.close()
}

const passed = ({ passages }: Watched): number => passages.reduce((sum, { bytes }) => sum + bytes, 0)

/** A stream to the member that has carried 100 bytes, and how many have come in all. */
async function streamed({ member, connection }: Awaited<ReturnType<typeof pair>>) {
  let bytes = 0
  await member.handle(SINK, (stream) => stream.addEventListener('message', ({ data }) => (bytes += data.byteLength)))
  const stream = await connection.newStream(SINK, { runOnLimitedConnection: true })
  stream.send(new Uint8Array(100))
  await vi.waitFor(() => expect(bytes).toBe(100), WITHIN)
  return { stream, connection, received: (): number => bytes }
}

describe('a circuit', { timeout: 90_000 }, () => {
  it('[RL11] counts from the moment it is allowed until it has opened or failed', async () => {
    let [held, most] = [0, 0]
    const watched = await relayWith({
      mayConnect: () => (held < 1 ? { status: 'ok' } : { status: 'resource-limit' }),
      holdCircuit: () => {
        held += 1
        most = Math.max(most, held)
        return () => void (held -= 1)
      },
    })
    const { member, sender } = await pair(watched)
    const to = multiaddr(`${watched.address}/p2p-circuit/p2p/${member.peerId.toString()}`)
    await Promise.allSettled([1, 2, 3].map(() => sender.dial(to, { force: true })))
    expect([held, most]).toEqual([0, 1])
  })

  it('[RL3] makes a fast sender wait for a receiver that does not read, and loses nothing of it', async () => {
    const watched = await relayWith()
    const { member, connection } = await pair(watched)
    let receiving: Stream | undefined
    await member.handle(SINK, (stream) => {
      stream.pause()
      receiving = stream
    })
    const stream = await connection.newStream(SINK, { runOnLimitedConnection: true })
    await vi.waitFor(() => expect(receiving).toBeDefined(), WITHIN)
    const bytes = crypto.getRandomValues(new Uint8Array(65_536))
    const whole = Buffer.concat(Array.from({ length: 256 }, () => bytes))
    const sent = { bytes: 0 }
    const sending = sendAll(stream, whole, sent)
    await stands(() => passed(watched))
    // Windows of sender, relay and receiver; without back-pressure all 16 MiB would have passed.
    expect(passed(watched)).toBeLessThan(5 * MIB)
    const hash = createHash('sha256')
    let length = 0
    receiving?.addEventListener('message', ({ data }) => {
      length += data.byteLength
      hash.update(data.subarray())
    })
    receiving?.resume()
    await sending
    await vi.waitFor(() => expect(length).toBe(whole.length), WITHIN)
    expect(hash.digest('hex')).toBe(createHash('sha256').update(whole).digest('hex'))
    expect(watched.passages.some((each) => each.class === 'bulk')).toBe(true)
  })

  it('[RL3] a receiver that reads slowly gets all of it, whatever gathers in between', async () => {
    const watched = await relayWith()
    const { member, connection } = await pair(watched)
    let length = 0
    await member.handle(SINK, (stream) => {
      stream.addEventListener('message', ({ data }) => {
        length += data.byteLength
        stream.pause()
        setTimeout(() => stream.readStatus === 'paused' && stream.resume(), 1)
      })
    })
    const stream = await connection.newStream(SINK, { runOnLimitedConnection: true })
    await sendAll(stream, new Uint8Array(32 * MIB), { bytes: 0 })
    await vi.waitFor(() => expect(length).toBe(32 * MIB), { timeout: 60_000 })
    expect(watched.changes).toEqual([{ kind: 'opened' }])
  })

  it('[RL3] waits as long as the rules want after each passage', async () => {
    let wait = 0
    const watched = await relayWith({ onPassage: () => wait })
    const { stream, received } = await streamed(await pair(watched))
    wait = 3_600_000
    stream.send(new Uint8Array(100))
    await vi.waitFor(() => expect(received()).toBe(200), WITHIN)
    stream.send(new Uint8Array(100))
    await stands(received)
    expect(received()).toBe(200)
  })

  it('[RL12] what has gathered while it waited for a rate passes piece by piece, and at once under a new rate', async () => {
    let wait = 0
    const passages: number[] = []
    const onPassage: RelayRules['onPassage'] = ({ from }, { bytes, sender: each }) => {
      if (each === from) passages.push(bytes)
      return wait
    }
    const watched = await relayWith({ onPassage })
    const { stream, connection, received } = await streamed(await pair(watched))
    wait = 3_600_000
    const sending = sendAll(stream, new Uint8Array(MIB), { bytes: 0 })
    await stands(() => passages.length)
    // Of what stands still the longest is told, until it goes on.
    const { oldestHoldMs } = watched.relay.counts()
    expect(oldestHoldMs).toBeGreaterThan(100)
    for (let n = 0; n < 3; n += 1) {
      const before = passages.length
      watched.relay.wake()
      expect(passages.slice(before)).toHaveLength(1)
    }
    wait = 0
    watched.relay.wake()
    await sending
    await vi.waitFor(() => expect(received()).toBe(100 + MIB), WITHIN)
    expect(watched.relay.counts().oldestHoldMs).toBeLessThan(oldestHoldMs)
    wait = 3_600_000
    await connection.close()
    await vi.waitFor(() => expect([watched.relay.counts().circuits, watched.relay.counts().oldestHoldMs]).toEqual([0, 0]), WITHIN)
  })

  it('[RL14] ends what would not be begun any more, as it was limited', async () => {
    const watched = await relayWith()
    const { sender } = await pair(watched)
    const asked: unknown[] = []
    watched.relay.review((...each) => (asked.push(each), true))
    expect([asked, watched.relay.counts().circuits]).toEqual([[[sender.peerId.toString(), false]], 1])
    watched.relay.review(() => false)
    expect(watched.relay.counts().circuits).toBe(0)
  })

  it('[RL4] ends at the bytes and at the seconds that were announced', async () => {
    const watched = await relayWith({ mayConnect: () => ({ status: 'ok', limit: { bytes: 65_536, seconds: 600 } }) })
    const { member, connection } = await pair(watched)
    await member.handle(SINK, (stream) => stream.addEventListener('message', () => undefined), { runOnLimitedConnection: true })
    expect(connection.limits?.bytes).toBeLessThanOrEqual(65_536n)
    expect(connection.limits?.seconds).toBeGreaterThan(500)
    expect(connection.limits?.seconds).toBeLessThanOrEqual(600)
    const stream = await connection.newStream(SINK, { runOnLimitedConnection: true })
    stream.send(new Uint8Array(100_000))
    await vi.waitFor(() => expect(watched.changes.at(-1)).toMatchObject({ kind: 'closed', cause: 'byte-limit' }), WITHIN)
    expect(watched.relay.counts().circuits).toBe(0)

    const short = await relayWith({ mayConnect: () => ({ status: 'ok', limit: { seconds: 1 } }) })
    await pair(short)
    await vi.waitFor(() => expect(short.changes.at(-1)).toMatchObject({ kind: 'closed', cause: 'time-limit' }), WITHIN)
  })

  it('[RL3] ends when either side goes, and the other is told', async () => {
    const watched = await relayWith()
    const { member, sender, connection } = await pair(watched)
    await member.stop()
    await vi.waitFor(() => expect(connection.status).not.toBe('open'), WITHIN)
    await vi.waitFor(() => expect(watched.relay.counts().circuits).toBe(0), WITHIN)
    expect(watched.changes.map(({ kind }) => kind)).toEqual(['opened', 'closed'])
    await sender.stop()
  })

  it('[RL24] a clock that is set right by years ends no place and no circuit', async () => {
    const watched = await relayWith()
    const { member, connection } = await pair(watched)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 5 * 365 * 86_400_000 })
    try {
      expect(watched.relay.hasPlace(member.peerId.toString())).toBe(true)
      expect([watched.relay.counts().reservations, connection.status]).toEqual([1, 'open'])
    } finally {
      vi.useRealTimers()
    }
  })

  it('[RL4] is refused as the rules say, and where there is no place', async () => {
    const watched = await relayWith({ mayConnect: () => ({ status: 'denied' }), mayReserve: () => 'reservation-refused' })
    const stranger = await client()
    const connection = await stranger.dial(multiaddr(watched.address))
    const ask = async (...bytes: number[]): Promise<Uint8Array> => {
      const frames = lpStream(await connection.newStream(HOP_PROTOCOL))
      await frames.write(Uint8Array.from(bytes))
      return new Uint8Array((await frames.read({ signal: AbortSignal.timeout(10_000) })).subarray())
    }
    const status = (code: number): Uint8Array => Uint8Array.of(0x08, 2, 0x28, (code & 0x7f) | 0x80, code >> 7)
    expect(await ask(0x08, 0)).toEqual(status(200))
    const nobody = stranger.peerId.toMultihash().bytes
    expect(await ask(0x08, 1, 0x12, nobody.length + 2, 0x0a, nobody.length, ...nobody)).toEqual(status(204))
    expect(await ask(0x08, 1, 0x12, 3, 0x0a, 1, 0xff)).toEqual(status(400))
    expect(await ask(0x08, 9)).toEqual(status(400))
    expect(watched.answers).toEqual(['reserve reservation-refused', 'connect no-reservation', 'connect malformed', 'unreadable malformed'])
  })

  it('[RL27] reaches a member over an older connection when nothing answers on the newest', async () => {
    const watched = await relayWith()
    const key = { privateKey: await generateKeyPair('Ed25519') }
    const member = await client([`${watched.address}/p2p-circuit`], key)
    await vi.waitFor(() => expect(watched.relay.counts().reservations).toBe(1), WITHIN)
    const halfOpen = await client([], key)
    const asked: Stream[] = []
    await halfOpen.unhandle(STOP_PROTOCOL)
    await halfOpen.handle(STOP_PROTOCOL, (stream) => void asked.push(stream))
    await halfOpen.dial(multiaddr(watched.address))
    await vi.waitFor(() => expect(watched.relay.counts().connections).toBe(2), WITHIN)
    const sender = await client()
    const connection = await sender.dial(multiaddr(`${watched.address}/p2p-circuit/p2p/${member.peerId.toString()}`))
    expect(connection.remotePeer.toString()).toBe(member.peerId.toString())
    expect(asked).toHaveLength(1)
  })

  it('[RL1] cuts off a request that is too long, and goes on', async () => {
    const watched = await relayWith()
    const stranger = await client()
    const connection = await stranger.dial(multiaddr(watched.address))
    const stream = await connection.newStream(HOP_PROTOCOL)
    stream.send(Uint8Array.of(0xff, 0xff, 0xff, 0x7f))
    stream.send(new Uint8Array(100_000))
    await vi.waitFor(() => expect(stream.status).not.toBe('open'), WITHIN)
    const { connection: circuit } = await pair(watched)
    expect(circuit.status).toBe('open')
  })
})

/** Resolves when a value has not changed for a while. */
async function stands(value: () => number): Promise<void> {
  let [last, since] = [value(), performance.now()]
  await vi.waitUntil(
    () => {
      if (value() !== last) [last, since] = [value(), performance.now()]
      return performance.now() - since > 700
    },
    { timeout: 60_000, interval: 20 },
  )
}
