/** What anybody can do to the port for WebSockets before saying who they are. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createRelayStack, type RelayStack } from './relay-stack.ts'
import { MAX_MESSAGE_BYTES } from './guarded-websockets.ts'
import { silentLogger, TestNetwork } from './test-network.ts'

const network = new TestNetwork()
const nothing = { get: () => undefined, put: () => undefined, delete: () => undefined }
let relay: RelayStack
let port: number

beforeEach(async () => {
  relay = await createRelayStack({
    privateKeySeed: new Uint8Array(32).fill(9),
    listen: { host: '127.0.0.1', tcp: 'off', ws: 0, webrtc: 'off' },
    durable: nothing,
    logger: silentLogger,
  })
  port = Number(/\/tcp\/(\d+)\/ws/.exec(relay.addresses().join())?.[1])
})
afterEach(async () => {
  await relay.stop()
  await network.clear()
})

const tcpTo = async (): Promise<Socket> => {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

async function upgrade(): Promise<Socket> {
  const socket = await tcpTo()
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

  it('ends connections that never become one, silent or talking', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const [silent, slow] = [await tcpTo(), await tcpTo()]
      slow.write('GET / HTTP/1.1\r\n')
      const gone = Promise.all([silent, slow].map((socket) => once(socket.resume(), 'close')))
      // The listener sees a connection a moment after we do.
      while (vi.getTimerCount() < 2) await new Promise((resolve) => setImmediate(resolve))
      await vi.advanceTimersByTimeAsync(10_000)
      expect(await gone).toHaveLength(2)
    } finally {
      vi.useRealTimers()
    }
  })

  it('lets a peer in, whose connection stays', async () => {
    const ana = await network.swarm()
    const device = relay.peerId as Parameters<typeof ana.isConnected>[0]
    await ana.learn(device, relay.addresses())
    await ana.open(device, '/skein/none/1')
    expect(ana.isConnected(device)).toBe(true)
  })
})
