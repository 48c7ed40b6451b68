import { randomBytes } from 'node:crypto'
import { createConnection, type Socket } from 'node:net'
import { once } from 'node:events'
import { decodeSpliceReply, type DeviceId, encodeSpliceRequest, type SpliceReplyFrame } from '@skein/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { systemRandom } from '../platform/system.ts'
import { type CircuitChange, OPEN_RULES, type Passage, type RelayRules } from '../swarm/circuit/index.ts'
import { exchange } from '../swarm/exchange.ts'
import type { Libp2pSwarm } from '../swarm/libp2p-swarm.ts'
import type { RelayStack } from '../swarm/relay-stack.ts'
import { silentLogger, TestNetwork } from '../swarm/test-network.ts'
import { BulkChannels, type BulkConnection, endpointOf } from './index.ts'
import { MAGIC, SPLICE_PROTOCOL } from './constants.ts'
import { proveTo } from './opening.ts'
import { SocketReader } from './socket-reader.ts'

const WITHIN = { timeout: 60_000 }
const NEVER = new AbortController().signal
const MIB = 1_048_576
const network = new TestNetwork()
const sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await network.clear()
})

interface Watched {
  readonly url: string
  readonly stack: RelayStack
  readonly device: DeviceId
  readonly port: number
  readonly passages: Passage[]
  readonly changes: CircuitChange[]
}

async function relayWith(rules: Partial<RelayRules> = {}): Promise<Watched> {
  const passages: Passage[] = []
  const changes: CircuitChange[] = []
  const watching: RelayRules = {
    ...OPEN_RULES,
    onPassage: (_, passage) => (passages.push(passage), 0),
    onCircuit: (_, change) => void changes.push(change),
    ...rules,
  }
  const { url, stack } = await network.relay(101, undefined, watching)
  const endpoint = stack()
    .addresses()
    .flatMap((each) => endpointOf(each) ?? [])[0]
  return { url, stack: stack(), device: stack().peerId as DeviceId, port: endpoint?.port ?? 0, passages, changes }
}

async function member(relay: Watched): Promise<Libp2pSwarm> {
  const swarm = await network.swarm({ relays: [relay.url] })
  await vi.waitFor(() => expect(swarm.relays()[0]?.reserved).toBe(true), WITHIN)
  return swarm
}

/** As if nothing but the relay led from one to the other. */
function channelsOf(swarm: Libp2pSwarm, relay: Watched, taken: BulkConnection[] = []): BulkChannels {
  const channels = new BulkChannels({
    logger: silentLogger,
    random: systemRandom,
    stopping: NEVER,
    handlers: new Map([['test', { allows: () => true, onOpened: (each: BulkConnection) => taken.push(each) }]]),
    open: (...args) => swarm.open(...args),
    serve: (...args) => void swarm.handle(...args),
    directPaths: async () => ({ dialled: [], wasDialled: false, known: [] }),
    relayPaths: () => [{ device: relay.device, endpoints: [{ host: '127.0.0.1', port: relay.port }] }],
  })
  channels.serve()
  return channels
}

async function joined(relay: Watched): Promise<{ near: BulkConnection; far: BulkConnection; ana: Libp2pSwarm; bo: Libp2pSwarm }> {
  const [ana, bo] = [await member(relay), await member(relay)]
  const taken: BulkConnection[] = []
  channelsOf(bo, relay, taken)
  const outcome = await channelsOf(ana, relay).open(bo.self, 'test')
  await vi.waitFor(() => expect(taken).toHaveLength(1), WITHIN)
  if (outcome.kind !== 'open' || taken[0] === undefined) throw new Error(`not opened: ${JSON.stringify(outcome)}`)
  return { near: outcome.connection, far: taken[0], ana, bo }
}

/** What the relay says to a wish to be joined. */
async function asked(swarm: Libp2pSwarm, relay: Watched, peer: DeviceId, session = randomBytes(16)): Promise<SpliceReplyFrame> {
  const opened = await swarm.open(relay.device, SPLICE_PROTOCOL, { relays: [relay.url] })
  const reply =
    opened.kind === 'open' ? await exchange(opened.channel, encodeSpliceRequest({ peer, session }), AbortSignal.timeout(30_000)) : undefined
  if (reply === undefined) throw new Error('the relay did not answer')
  return decodeSpliceReply(reply)
}

async function provenTo(relay: Watched, reply: SpliceReplyFrame): Promise<Socket> {
  const socket = createConnection(relay.port, '127.0.0.1')
  sockets.push(socket)
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  if (reply.status !== 'ok') throw new Error(reply.status)
  const reader = new SocketReader(socket)
  await proveTo({ socket, reader }, reply.secret, NEVER)
  reader.release()
  return socket
}

const passed = ({ passages }: Watched): number => passages.reduce((sum, { bytes }) => sum + bytes, 0)

describe('a raw connection over a relay', { timeout: 120_000 }, () => {
  it('[BU6, BU7] carries frames both ways, is counted as a circuit, and ends for both when one ends it', async () => {
    const relay = await relayWith()
    const { near, far, ana, bo } = await joined(relay)
    expect([near.via, near.peer, far.peer]).toEqual(['relay', bo.self, ana.self])
    const frame = randomBytes(300_000)
    await near.write(frame)
    await far.write(frame)
    for (const side of [near, far])
      for await (const got of side) {
        expect(Buffer.compare(got, frame)).toBe(0)
        break
      }
    // The other circuit is the one on which the two have agreed.
    const bulk = (): CircuitChange[] => relay.changes.filter((each) => each.kind === 'closed' && each.bytes > 600_000)
    await vi.waitFor(() => expect(bulk()).toHaveLength(1), WITHIN)
    const counted = relay.passages.filter((each) => each.class === 'bulk').reduce((sum, { bytes }) => sum + bytes, 0)
    expect(counted).toBeGreaterThanOrEqual(600_000)
  })

  it('[BU7] makes a fast sender wait for a receiver that does not read, and loses nothing of it', async () => {
    const relay = await relayWith()
    const { near, far } = await joined(relay)
    const frame = randomBytes(262_144)
    const count = (200 * MIB) / frame.length
    const sending = (async () => {
      for (let sent = 0; sent < count; sent += 1) await near.write(frame)
      await near.close()
    })()
    let before = -1
    await vi.waitUntil(() => before === (before = passed(relay)) && before > 0, { timeout: 60_000, interval: 500 })
    // What the system buffers towards the receiver; without back-pressure all 200 MiB would have passed.
    expect(passed(relay)).toBeLessThan(60 * MIB)
    let received = 0
    for await (const each of far) received += each.length
    await sending
    expect(received).toBe(200 * MIB)
  })

  it('[BU7] waits as long as the rules want, and ends when the operator ends circuits', async () => {
    let wait = 0
    const relay = await relayWith({ onPassage: () => wait })
    const { near, far, ana } = await joined(relay)
    const frames = far[Symbol.asyncIterator]()
    wait = 3_600_000
    await near.write(Uint8Array.of(1))
    await frames.next()
    await near.write(Uint8Array.of(2))
    const second = frames.next()
    const first = await Promise.race([
      second.then(
        () => 'came',
        () => 'ended',
      ),
      new Promise((resolve) => setTimeout(resolve, 700, 'waits')),
    ])
    expect(first).toBe('waits')
    relay.stack.endCircuits(ana.self)
    await expect(
      second.then(
        ({ done }) => done === true,
        () => true,
      ),
    ).resolves.toBe(true)
    expect(relay.stack.counts().circuits).toBe(0)
  })

  it('[RL9] of a device that is put out ends with its connections, and its tickets open nothing', async () => {
    const relay = await relayWith()
    const { near, far, ana, bo } = await joined(relay)
    const waiting = await provenTo(relay, await asked(bo, relay, ana.self))
    const ended = [near, far].map(async (side) => {
      for await (const frame of side) expect(frame).toBeUndefined()
    })
    const ticket = await asked(ana, relay, bo.self)
    await relay.stack.disconnect(ana.self)
    await Promise.all(ended.map((each) => each.catch(() => undefined)))
    await vi.waitFor(() => expect(waiting.resume().closed).toBe(true), WITHIN)
    const late = await provenTo(relay, ticket).catch(() => undefined)
    expect([relay.stack.counts().circuits, late]).toEqual([0, undefined])
  })

  it('[BU7] is refused to whom a circuit is refused or limited, and where nobody has a place', async () => {
    const relay = await relayWith({ mayConnect: () => ({ status: 'ok', limit: { bytes: 1_024 } }) })
    const [ana, bo] = [await member(relay), await member(relay)]
    expect(await asked(ana, relay, bo.self)).toEqual({ status: 'denied' })
    expect(await asked(ana, relay, ana.self)).toEqual({ status: 'denied' })
    const stranger = await network.swarm()
    await bo.stop()
    await vi.waitFor(() => expect(relay.stack.hasPlace(bo.self)).toBe(false), WITHIN)
    expect(await asked(stranger, relay, bo.self)).toEqual({ status: 'no-reservation' })
  })

  it('[BU7] counts as one circuit from the first ticket until it has begun, or nobody can come any more', async () => {
    const held: string[] = []
    const holdCircuit: RelayRules['holdCircuit'] = ({ from, to }) => {
      const name = `${from} ${to}`
      held.push(name)
      return () => void held.splice(held.indexOf(name), 1)
    }
    const relay = await relayWith({
      holdCircuit,
      mayConnect: () => (held.length === 0 ? { status: 'ok' } : { status: 'resource-limit' }),
    })
    const [ana, bo] = [await member(relay), await member(relay)]
    const session = randomBytes(16)
    const first = await asked(ana, relay, bo.self, session)
    expect(await asked(ana, relay, bo.self)).toEqual({ status: 'resource-limit' })
    const second = await asked(bo, relay, ana.self, session)
    expect(held).toEqual([`${ana.self} ${bo.self}`])
    await Promise.all([first, second].map((each) => provenTo(relay, each)))
    await vi.waitFor(() => expect([held, relay.changes]).toEqual([[], [{ kind: 'opened' }]]), WITHIN)
    const third = await asked(ana, relay, bo.self)
    expect([third.status, held.length]).toEqual(['ok', 1])
    await relay.stack.disconnect(ana.self)
    expect(held).toEqual([])
  })

  it('[BU7] begins no more when it is not allowed any more, and both ends are told', async () => {
    let mayBegin = true
    const relay = await relayWith({ mayBegin: () => mayBegin })
    const [ana, bo] = [await member(relay), await member(relay)]
    const session = randomBytes(16)
    const replies = [await asked(ana, relay, bo.self, session), await asked(bo, relay, ana.self, session)]
    mayBegin = false
    const both = await Promise.all(replies.map((each) => provenTo(relay, each)))
    await Promise.all(both.map((socket) => vi.waitFor(() => expect(socket.resume().closed).toBe(true), WITHIN)))
    expect(relay.changes).toEqual([])
  })

  it('[BU6] joins nobody with a third who knows the ticket of the two, and ends who stays alone', async () => {
    const relay = await relayWith()
    const [ana, bo, eve] = [await member(relay), await member(relay), await member(relay)]
    const session = randomBytes(16)
    const first = await provenTo(relay, await asked(ana, relay, bo.self, session))
    await provenTo(relay, await asked(eve, relay, bo.self, session))
    await provenTo(relay, await asked(eve, relay, ana.self, session))
    expect(relay.changes).toEqual([])
    const second = await provenTo(relay, await asked(bo, relay, ana.self, session))
    second.write('to ana')
    const [bytes] = (await once(first, 'data')) as [Buffer]
    expect(bytes.toString()).toBe('to ana')
    expect(relay.changes).toEqual([{ kind: 'opened' }])
  })

  it('[BU1, BU2] garbage on the relay’s port ends by itself and touches nobody', async () => {
    const relay = await relayWith()
    const { near, far } = await joined(relay)
    const raw = async (bytes: Uint8Array): Promise<Socket> => {
      const socket = createConnection(relay.port, '127.0.0.1')
      sockets.push(socket)
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      socket.write(bytes)
      socket.resume()
      return socket
    }
    const strangers = await Promise.all([
      raw(Buffer.concat([MAGIC, randomBytes(16)])),
      raw(Buffer.alloc(100_000, 'S')),
      raw(Buffer.alloc(90_000, 1)),
    ])
    await vi.waitFor(() => expect(strangers.map(({ closed }) => closed)).toEqual([true, true, true]), WITHIN)
    await near.write(Uint8Array.of(5))
    for await (const frame of far) {
      expect(frame).toEqual(Buffer.from([5]))
      break
    }
  })
})
