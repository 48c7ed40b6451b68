/** What anybody can do to the port for WebRTC-direct before saying who they are. */
import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { noise } from '@libp2p/noise'
import { yamux } from '@libp2p/yamux'
import { createLibp2p, type Libp2p, type Libp2pOptions } from 'libp2p'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { guardedWebRTCDirect } from './guarded-udp.ts'

const BOUNDS = { connection: 9, address: 2, network: 9, total: 9 }
const WITHIN = { timeout: 60_000 }
const running: Libp2p[] = []
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.close()
  await Promise.all(running.splice(0).map((each) => each.stop()))
})

/** A question of STUN as WebRTC-direct begins with it, under this name at both ends. */
function question(name: string): Buffer {
  const user = Buffer.from(`${name}:${name}`)
  const padded = Buffer.concat([user, Buffer.alloc((4 - (user.length % 4)) % 4)])
  // With a proof that nobody can check yet: who asks is not known.
  const attributes = Buffer.concat([Buffer.from([0, 6, 0, user.length]), padded, Buffer.from([0, 8, 0, 20]), randomBytes(20)])
  return Buffer.concat([Buffer.from([0, 1, 0, attributes.length, 0x21, 0x12, 0xa4, 0x42]), randomBytes(12), attributes])
}

let refused: string[] = []
beforeEach(() => void (refused = []))

async function listening(more: Partial<Libp2pOptions> = {}): Promise<Libp2p> {
  const rules = { groupsOf: (address: string) => [address, 'network'], onRefused: (...why: string[]) => void refused.push(why.join(' ')) }
  const node = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/udp/0/webrtc-direct'] },
    transports: [guardedWebRTCDirect(rules, BOUNDS)],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: { inboundUpgradeTimeout: 3_000 },
    ...more,
  })
  running.push(node)
  return node
}

function ask(node: Libp2p, names: string): void {
  const port = Number(/\/udp\/(\d+)\//.exec(node.getMultiaddrs().join())?.[1])
  const socket = createSocket('udp4')
  sockets.push(socket)
  for (const name of names) socket.send(question(`libp2p+webrtc+v1/${name.repeat(32)}`), port, '127.0.0.1')
}

it('[RL21] handshakes of WebRTC-direct are bounded by address, and those that come to nothing are counted', async () => {
  ask(await listening(), 'ababcabd')
  await vi.waitFor(() => expect(refused.filter((each) => each === 'handshake pending').length).toBe(2), WITHIN)
  await vi.waitFor(() => expect(refused.filter((each) => each === 'handshake failed').length).toBe(2), WITHIN)
  expect(refused).toHaveLength(4)
})

it('[RL21] who is turned away over WebRTC-direct is counted by who turns them away, and not again', async () => {
  const asked = vi.fn<() => boolean>(() => true)
  const node = await listening({ connectionGater: { denyInboundConnection: asked } })
  const dialler = await listening({ addresses: {} })
  await dialler.dial(node.getMultiaddrs()).catch(() => undefined)
  await vi.waitFor(() => expect(asked).toHaveBeenCalledTimes(1), WITHIN)
  // What is counted afterwards shows that nothing else was.
  ask(node, 'abc')
  await vi.waitFor(() => expect(refused).not.toEqual([]), WITHIN)
  expect(refused).toEqual(['handshake pending'])
})
