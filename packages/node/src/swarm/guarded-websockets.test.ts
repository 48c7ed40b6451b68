/** What anybody can do to the port for WebSockets before saying who they are. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttp } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { noise } from '@libp2p/noise'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { OPEN_RULES, type RelayRules } from './circuit/rules.ts'
import { createRelayStack, type RelayStack, type RelayStackOptions } from './relay-stack.ts'
import { CLOSE_WITHIN_MS, guardedWebSockets, MAX_MESSAGE_BYTES } from './guarded-websockets.ts'
import { silentLogger, TestNetwork } from './test-network.ts'

const network = new TestNetwork()
const nothing = { get: () => undefined, put: () => undefined, delete: () => undefined }
let relay: RelayStack
let port: number

beforeEach(() => start())

async function start(changed: Partial<RelayStackOptions> = {}): Promise<void> {
  relay = await createRelayStack({
    privateKeySeed: new Uint8Array(32).fill(9),
    listen: { host: '127.0.0.1', tcp: 'off', ws: 0, webrtc: 'off' },
    durable: nothing,
    logger: silentLogger,
    ...changed,
  })
  port = Number(/\/tcp\/(\d+)\/ws/.exec(relay.addresses().join())?.[1])
}

async function restart(rules: Partial<RelayRules>, front?: RelayStackOptions['front']): Promise<void> {
  await relay.stop()
  await start({ rules: { ...OPEN_RULES, ...rules }, front })
}

afterEach(async () => {
  await relay.stop()
  await network.clear()
})

const tcpTo = async (to = port): Promise<Socket> => {
  const socket = connect(to, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

async function upgrade(to = port): Promise<Socket> {
  const socket = await tcpTo(to)
  const key = randomBytes(16).toString('base64')
  socket.write(
    `GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
  )
  await once(socket, 'data')
  return socket
}

/** A masked binary frame's head for a message of so many bytes. */
function head(bytes: number): Buffer {
  const length = Buffer.alloc(8)
  length.writeBigUInt64BE(BigInt(bytes))
  return Buffer.concat([Buffer.of(0x82, 0xff), length, Buffer.alloc(4)])
}

async function stillServes(): Promise<boolean> {
  const socket = await upgrade()
  socket.destroy()
  return true
}

/** Between two peers; it passes on no end. Of its ends, the first is towards who dials. */
async function halfDeafLine(to: number): Promise<{ address: string; ends: Socket[]; close: () => void }> {
  const ends: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port: to, host: '127.0.0.1', allowHalfOpen: true })
    for (const each of [near, far]) each.on('error', () => undefined)
    ends.push(near, far)
    near.pipe(far, { end: false }).pipe(near, { end: false })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const close = (): void => {
    for (const each of ends) each.destroy()
    server.close()
  }
  return { address: `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}/ws`, ends, close }
}

describe('the port for WebSockets', () => {
  it.each([
    ['reserved bits', Buffer.from('f28161626364', 'hex')],
    ['text that is no UTF-8', Buffer.from('818200000000ffff', 'hex')],
    ['an absurd length', head(2 ** 52)],
    ['a frame without a mask', Buffer.from('820178', 'hex')],
    ['a control frame that is too long', Buffer.concat([Buffer.from('89fe008061626364', 'hex'), Buffer.alloc(128)])],
  ])('survives %s', async (_name, bytes) => {
    const socket = await upgrade()
    const closed = once(socket, 'close')
    socket.resume().write(bytes)
    await closed
    expect(await stillServes()).toBe(true)
  })

  it('takes no message that is larger than any of a peer', async () => {
    const socket = await upgrade()
    const closed = once(socket, 'close')
    socket.resume().write(head(MAX_MESSAGE_BYTES + 1))
    await closed
    expect(await stillServes()).toBe(true)
  })

  it('[RL21] ends connections that never become one, silent or talking, and counts them', async () => {
    const refused: string[] = []
    await restart({ onRefused: (...what) => void refused.push(what.join(' ')) })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const [silent, slow] = [await tcpTo(), await tcpTo()]
      slow.write('GET / HTTP/1.1\r\n')
      const gone = Promise.all([silent, slow].map((socket) => once(socket.resume(), 'close')))
      // The listener sees a connection a moment after we do.
      while (vi.getTimerCount() < 2) await new Promise((resolve) => setImmediate(resolve))
      await vi.advanceTimersByTimeAsync(10_000)
      expect(await gone).toHaveLength(2)
      expect(refused).toEqual(['websocket timeout', 'websocket timeout'])
    } finally {
      vi.useRealTimers()
    }
  })

  it('[RL18] stops at once whoever is silent there, before and after the upgrade, and at the port of others', async () => {
    const front = createHttp().on('upgrade', (request, socket, head) => relay.takeUpgrade(request, socket, head))
    const silent = [await tcpTo(), await upgrade()]
    await once(front.listen(0, '127.0.0.1'), 'listening')
    silent.push(await upgrade((front.address() as AddressInfo).port))
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const stopped = relay.stop()
      await vi.advanceTimersByTimeAsync(1_000)
      await expect(stopped).resolves.toBeUndefined()
    } finally {
      vi.useRealTimers()
      front.close()
      for (const each of silent) each.destroy()
    }
  })

  it('lets a peer in, whose connection stays', async () => {
    const ana = await network.swarm()
    const device = relay.peerId as Parameters<typeof ana.isConnected>[0]
    await ana.learn(device, relay.addresses())
    await ana.open(device, '/skein/none/1')
    expect(ana.isConnected(device)).toBe(true)
  })

  it('ends whom it has refused, also who never agrees to it', async () => {
    await restart({ mayJoin: () => false }, { host: 'relay.example', port: 443 })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      // The answer to the request, then the farewell, which is not answered.
      const socket = await upgrade()
      const gone = once(socket.resume(), 'close')
      while (vi.getTimerCount() === 0) await new Promise((resolve) => setImmediate(resolve))
      await vi.advanceTimersByTimeAsync(CLOSE_WITHIN_MS)
      expect(await gone).toHaveLength(1)
    } finally {
      vi.useRealTimers()
    }
  })

  it('ends the TCP connection of whom it cuts off, also while the other side keeps its own', async () => {
    const parts = { transports: [guardedWebSockets()], connectionEncrypters: [noise()], streamMuxers: [yamux()] }
    const near = await createLibp2p({ ...parts, addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] } })
    const other = await createLibp2p(parts)
    const line = await halfDeafLine(Number(near.getMultiaddrs()[0]?.toString().split('/')[4]))
    try {
      await other.dial(multiaddr(line.address))
      const connection = await vi.waitUntil(() => near.getConnections()[0], { timeout: 20_000 })
      const gone = once(line.ends[1] as Socket, 'end', { signal: AbortSignal.timeout(20_000) })
      line.ends[0]?.unpipe()
      connection.abort(new Error('silent'))
      expect(await gone).toEqual([])
    } finally {
      line.close()
      await Promise.all([near.stop(), other.stop()])
    }
  })

  it('[RL11] asks who may come in before anything is read, and counts until the TCP connection ends', async () => {
    let here = 0
    await restart({ mayJoin: () => here < 2 && (here += 1) > 0, onLeft: () => void (here -= 1) })
    const [silent, open] = [await tcpTo(), await upgrade()]
    const third = await tcpTo()
    await once(third.resume(), 'close')
    expect(here).toBe(2)
    for (const each of [silent, open]) each.destroy()
    await vi.waitFor(() => expect(here).toBe(0), { timeout: 20_000 })
  })
})
