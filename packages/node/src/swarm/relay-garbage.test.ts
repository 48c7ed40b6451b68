/** What strangers bring to a relay's ports and protocols that is nothing: each is ended, and counted as what it was. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Libp2p } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { multiaddr } from '@multiformats/multiaddr'
import { SkeinError } from '@skein/core'
import { createLibp2p } from 'libp2p'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MAGIC, SPLICE_PROTOCOL } from '../bulk/constants.ts'
import { HOP_PROTOCOL } from './circuit/hop-service.ts'
import { OPEN_RULES, type RelayRules } from './circuit/index.ts'
import type { RelayStack } from './relay-stack.ts'
import { DHT_PROTOCOL, securedAndMuxed } from './stack-parts.ts'
import { TestNetwork } from './test-network.ts'

const WITHIN = { timeout: 60_000, interval: 20 }
const network = new TestNetwork()
const sockets: Socket[] = []
const strangers: Libp2p[] = []
let refused: string[]
let relay: RelayStack

const start = async (rules: Partial<RelayRules> = {}): Promise<void> => {
  refused = []
  const onRefused: RelayRules['onRefused'] = (...what) => void refused.push(what.join(' '))
  relay = (await network.relay(160, undefined, { ...OPEN_RULES, onRefused, ...rules })).stack()
}

beforeEach(() => start())
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(strangers.splice(0).map((each) => each.stop()))
  await network.clear()
})

const addressOf = (kind: 'tcp' | 'ws'): string => relay.addresses().find((each) => each.includes('/ws') === (kind === 'ws')) ?? ''

async function open(kind: 'tcp' | 'ws', bytes?: Buffer | string): Promise<Socket> {
  const socket = connect(Number(addressOf(kind).split('/')[4]), '127.0.0.1')
  sockets.push(socket)
  socket.on('error', () => undefined).resume()
  await once(socket, 'connect')
  if (bytes !== undefined) socket.write(bytes)
  return socket
}

async function stranger(kind: 'tcp' | 'ws' = 'tcp'): Promise<Libp2p> {
  const node = await createLibp2p({ transports: [tcp(), webSockets()], ...securedAndMuxed() })
  strangers.push(node)
  // Again where a busy machine takes longer than the library gives a handshake.
  await vi.waitFor(() => node.dial(multiaddr(addressOf(kind))), WITHIN)
  return node
}

/** Not in the library's types: TCP, and what Noise makes of it. */
interface Beneath {
  readonly maConn: { readonly socket: Socket }
  readonly muxer: { readonly maConn: { send(bytes: Uint8Array): void } }
}

/** @param bytes with the length before them */
async function say(protocol: string, bytes: Uint8Array): Promise<void> {
  const node = await stranger()
  const stream = await node.getConnections()[0]?.newStream(protocol)
  stream?.send(bytes)
}

/** What is counted once there are so many. */
const counted = async (count = 1): Promise<string[]> => {
  await vi.waitFor(() => expect(refused.length).toBeGreaterThanOrEqual(count), WITHIN)
  return refused.toSorted()
}
/** What is counted of a connection when it has closed: what comes afterwards, by another name, shows that nothing else was. */
async function countedBy(socket: Socket, kind: 'tcp' | 'ws'): Promise<string[]> {
  await vi.waitFor(() => expect(socket.closed).toBe(true), WITHIN)
  const [mark] = kind === 'tcp' ? ['websocket failed', (await open('ws')).destroy()] : ['bulk failed', await open('tcp', NO_SPLICE)]
  await vi.waitFor(() => expect(refused.at(-1)).toBe(mark), WITHIN)
  return refused.slice(0, -1)
}

const NO_SPLICE = Buffer.concat([MAGIC, Buffer.alloc(16)])
const upgrade = (key: string): string =>
  `GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`
const KEY = randomBytes(16).toString('base64')

describe('[RL21] a relay that is brought garbage', { timeout: 120_000 }, () => {
  it.each([
    ['tcp', 'GET / HTTP/1.1\r\n'.repeat(5_000), 'handshake failed'],
    ['tcp', '\x13/multistream/1.0.0\n\x07/noise\n\x00\x04junk', 'handshake failed'],
    ['tcp', NO_SPLICE, 'bulk failed'],
    ['ws', Buffer.alloc(70_000, 0xff), 'websocket failed'],
    ['ws', 'GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n', 'websocket failed'],
    ['ws', upgrade('none'), 'websocket failed'],
  ] as const)('at its port for %s, case %#: counts it once, and ends it', async (kind, bytes, what) => {
    expect(await countedBy(await open(kind, bytes), kind)).toEqual([what])
  })

  it('counts who connects and goes without a word, as port scans and health checks do', async () => {
    ;(await open('tcp')).destroy()
    expect(await counted()).toEqual(['handshake failed'])
    ;(await open('ws')).destroy()
    expect(await counted(2)).toEqual(['handshake failed', 'websocket failed'])
  })

  it.each([
    ['malformed', Buffer.from('f28161626364', 'hex')],
    ['size', Buffer.from('82ff001000000000000000000000', 'hex')],
  ])('counts a frame of a WebSocket that is wrong by %s, once', async (why, frame) => {
    const socket = await open('ws', upgrade(KEY))
    await once(socket, 'data')
    socket.end(frame)
    expect(await countedBy(socket, 'ws')).toEqual([`websocket ${why}`])
  })

  it('counts nothing of peers that come and go, and of whom it turns away only that', async () => {
    for (const kind of ['tcp', 'ws'] as const) await (await stranger(kind)).stop()
    await vi.waitFor(() => expect(relay.counts().connections).toBe(0), WITHIN)
    expect(refused).toEqual([])
    await network.clear()
    await start({ mayStay: () => false })
    const node = await createLibp2p({ transports: [tcp()], ...securedAndMuxed() })
    strangers.push(node)
    await node.dial(multiaddr(addressOf('tcp'))).catch(() => undefined)
    await vi.waitFor(() => expect(node.getConnections()).toEqual([]), WITHIN)
    // What is counted afterwards shows that nothing else was.
    ;(await open('tcp')).destroy()
    expect(await counted()).toEqual(['handshake failed'])
  })

  it.each([
    ['a request that is too long', Uint8Array.of(9, ...new Uint8Array(9)), 'cards size'],
    ['a request that cannot be read', Uint8Array.of(1, 0), 'cards malformed'],
  ])('counts %s, in the name of its service', async (_name, bytes, what) => {
    const unreadable = (): Uint8Array => {
      throw new SkeinError('BAD_FRAME', 'Nothing.')
    }
    await relay.serve('/skein/card/1', unreadable, { service: 'cards', maxRequestBytes: 8 })
    await say('/skein/card/1', bytes)
    expect(await counted()).toEqual([what])
  })

  it.each([
    [HOP_PROTOCOL, Uint8Array.of(0x81, 0x20, 1), 'circuit size'],
    [HOP_PROTOCOL, Uint8Array.of(2, 0xff, 0xff), 'circuit malformed'],
    [SPLICE_PROTOCOL, Uint8Array.of(2, 0xff, 0xff), 'bulk malformed'],
    [DHT_PROTOCOL, Uint8Array.of(2, 0xff, 0xff), 'dht malformed'],
    [DHT_PROTOCOL, Uint8Array.of(2, 8, 99), 'dht malformed'],
  ])('counts a request to %s that is none', async (protocol, bytes, what) => {
    await say(protocol, bytes)
    expect(await counted()).toEqual([what])
  })

  it('counts no question of the DHT that is one, nor its end', async () => {
    const node = await stranger()
    const stream = await node.getConnections()[0]?.newStream(DHT_PROTOCOL)
    const answered = new Promise((resolve) => stream?.addEventListener('message', resolve))
    stream?.send(Uint8Array.of(2, 8, 5))
    await answered
    await stream?.close()
    await say(DHT_PROTOCOL, Uint8Array.of(2, 8, 99))
    expect(await counted()).toEqual(['dht malformed'])
  })

  it('counts what a peer that has come in sends beneath all protocols', async () => {
    const beneath = async (): Promise<Beneath> => {
      const node = await stranger()
      await vi.waitFor(() => expect(relay.counts().connections).toBe(1), WITHIN)
      return node.getConnections()[0] as unknown as Beneath
    }
    ;(await beneath()).maConn.socket.write(Buffer.concat([Buffer.from([0, 32]), randomBytes(32)]))
    expect(await counted()).toEqual(['connection malformed'])
    await vi.waitFor(() => expect(relay.counts().connections).toBe(0), WITHIN)
    ;(await beneath()).muxer.maConn.send(new Uint8Array(12).fill(0xff))
    expect(await counted(2)).toEqual(['connection malformed', 'connection malformed'])
  })

  it('counts a frame on a channel that is too long', async () => {
    const read = async (channel: { frames(): AsyncIterable<unknown> }): Promise<void> => {
      for await (const _ of channel.frames());
    }
    await relay.serveChannel('/skein/mailbox/1', read, 'mail')
    await say('/skein/mailbox/1', Uint8Array.of(0xff, 0xff, 0xff, 0x7f))
    expect(await counted()).toEqual(['mail size'])
  })
})

it('[RL21] a connection to the port for TCP that says no byte in time is ended, and counted', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const silent = await open('tcp')
    while (vi.getTimerCount() === 0) await new Promise((resolve) => setImmediate(resolve))
    const gone = once(silent, 'close')
    await vi.advanceTimersByTimeAsync(10_000)
    await gone
    expect(refused).toEqual(['handshake timeout'])
  } finally {
    vi.useRealTimers()
  }
})
