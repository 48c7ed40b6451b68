/** What anybody can do to the port for QUIC, and what a slow receiver there does to a fast sender. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { QuicOptions } from '@chainsafe/libp2p-quic'
import type { Libp2p, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { guardedQuic } from './guarded-quic.ts'
import { loadQuic } from './late-quic.ts'
import { securedAndMuxed } from './stack-parts.ts'

const WITHIN = { timeout: 40_000, interval: 20 }
const PROTOCOL = '/skein/test-held/1'
/** More than the library keeps of a stream that nobody reads before it breaks it. */
const BYTES = 12 * 1_048_576
const quic = await loadQuic()
const running: Libp2p[] = []
const sockets: Socket[] = []

afterEach(async () => {
  for (const each of sockets.splice(0)) each.close()
  await Promise.all(running.splice(0).map((each) => each.stop()))
})

async function listener(options: Partial<QuicOptions> = {}) {
  if (quic === undefined) throw new Error('no QUIC here')
  const refused: string[] = []
  const node = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/udp/0/quic-v1'] },
    transports: [guardedQuic(quic, { onRefused: (...why) => void refused.push(why.join(' ')) }, options)],
    ...securedAndMuxed(),
  })
  running.push(node)
  const port = Number(/\/udp\/(\d+)\//.exec(node.getMultiaddrs().join())?.[1])
  return { node, refused, port }
}

async function client(): Promise<Libp2p> {
  const node = await createLibp2p({
    transports: quic === undefined ? [] : [quic()],
    ...securedAndMuxed(),
    connectionGater: { denyDialMultiaddr: () => false },
  })
  running.push(node)
  return node
}

const at = (port: number) => multiaddr(`/ip4/127.0.0.1/udp/${port}/quic-v1`)

/** Passes on the first datagram that comes, and nothing after it. */
async function onceOnly(to: number): Promise<{ readonly port: number; readonly passed: Promise<void> }> {
  const [near, far] = [createSocket('udp4'), createSocket('udp4')]
  sockets.push(near, far)
  near.bind(0, '127.0.0.1')
  await once(near, 'listening')
  const { promise: passed, resolve } = Promise.withResolvers<void>()
  near.once('message', (bytes) => far.send(bytes, to, '127.0.0.1', () => resolve()))
  return { port: near.address().port, passed }
}

/** Until it changes no more. */
async function stands(figure: () => number): Promise<void> {
  const seen: number[] = []
  await vi.waitFor(() => {
    seen.push(figure())
    expect(new Set(seen.slice(-15))).toHaveProperty('size', seen.length < 15 ? 0 : 1)
  }, WITHIN)
}

// The package has a binary for every platform that we promise, but a lockfile may lack those of others than its maker's.
describe.skipIf(quic === undefined && process.platform !== 'linux')('QUIC where a relay listens', { timeout: 90_000 }, () => {
  it('[RL21] a handshake that goes no further keeps nobody out, and is counted when it comes to nothing', async () => {
    const { refused, port } = await listener({ maxIdleTimeout: 3_000 })
    const front = await onceOnly(port)
    void (await client()).dial(at(front.port)).catch(() => undefined)
    await front.passed
    await (await client()).dial(at(port))
    expect(refused).toEqual([])
    await vi.waitFor(() => expect(refused).toEqual(['handshake failed']), WITHIN)
  })

  it('[RL3] a stream that is paused is not read, and breaks by nothing that is sent meanwhile', async () => {
    const { node, port } = await listener()
    const arrived = Promise.withResolvers<Stream & { readonly readBufferLength: number }>()
    await node.handle(PROTOCOL, (stream) => {
      stream.pause()
      arrived.resolve(stream as Stream & { readonly readBufferLength: number })
    })
    const stream = await (await client()).dialProtocol(at(port), PROTOCOL)
    stream.send(new Uint8Array(BYTES))
    const receiver = await arrived.promise
    await stands(() => stream.writeBufferLength)
    expect(receiver.readBufferLength).toBeLessThan(1_048_576)
    let bytes = 0
    receiver.addEventListener('message', ({ data }) => void (bytes += data.byteLength))
    receiver.resume()
    await stream.close()
    await vi.waitFor(() => expect(bytes).toBe(BYTES), WITHIN)
  })
})
