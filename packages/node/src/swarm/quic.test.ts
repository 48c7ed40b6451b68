import { identify } from '@libp2p/identify'
import type { Libp2p, Stream } from '@libp2p/interface'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { OPEN_RULES } from './circuit/index.ts'
import { loadQuic } from './late-quic.ts'
import { probeRelay } from './probe.ts'
import { createRelayStack, type RelayStack } from './relay-stack.ts'
import { securedAndMuxed } from './stack-parts.ts'
import { silentLogger } from './test-network.ts'

const ECHO = '/skein/test-echo/1'
const WITHIN = { timeout: 40_000, interval: 50 }
const quic = await loadQuic()
const running: (Libp2p | RelayStack)[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()))
})

async function relay() {
  const counted = { in: 0, out: 0 }
  const stack = await createRelayStack({
    privateKeySeed: new Uint8Array(32).fill(3),
    listen: { host: '127.0.0.1', tcp: 'off', ws: 'off', webrtc: 'off', quic: 0 },
    durable: { get: () => undefined, put: () => undefined, delete: () => undefined },
    logger: silentLogger,
    rules: { ...OPEN_RULES, onBytes: (direction, bytes) => void (counted[direction] += bytes) },
  })
  running.push(stack)
  return { stack, counted, address: stack.addresses()[0] ?? '' }
}

/** What other implementations do: ours dial by TCP. */
async function client(listen: readonly string[] = []): Promise<Libp2p> {
  const node = await createLibp2p({
    addresses: { listen: [...listen] },
    transports: [...(quic === undefined ? [] : [quic()]), circuitRelayTransport()],
    ...securedAndMuxed(),
    connectionGater: { denyDialMultiaddr: () => false },
    services: { identify: identify() },
  })
  running.push(node)
  return node
}

/** Of libraries that tell bytes of streams. */
function onBytes(stream: Stream, take: (bytes: Uint8Array) => void): void {
  stream.addEventListener('message', ({ data }) => take(data.subarray()))
}

// The package has a binary for every platform that we promise, but a lockfile may lack those of others than its maker's.
describe.skipIf(quic === undefined && process.platform !== 'linux')('a relay that listens for QUIC', { timeout: 90_000 }, () => {
  it('announces where, answers there, and says who it is', async () => {
    const { address, stack } = await relay()
    expect(address).toMatch(/^\/ip4\/127\.0\.0\.1\/udp\/\d+\/quic-v1\/p2p\//)
    expect(await probeRelay([address], { withinMs: WITHIN.timeout })).toMatchObject([{ address, error: undefined }])
    const wrong = address.replace(stack.peerId, '12D3KooWGetBfPpxMU5NcaoYAkyNDWNFc7N6DFrE5xYyJdy51TTH')
    expect((await probeRelay([wrong], { withinMs: 10_000 }))[0]?.error).toBeDefined()
  })

  it('[RL13] gives places and circuits, and counts what passes', async () => {
    const { address, stack, counted } = await relay()
    const member = await client([`${address}/p2p-circuit`])
    await vi.waitFor(() => expect(stack.counts().reservations).toBe(1), WITHIN)
    await member.handle(ECHO, (stream) => onBytes(stream, (bytes) => stream.send(bytes)), { runOnLimitedConnection: true })
    const sender = await client()
    const connection = await sender.dial(multiaddr(`${address}/p2p-circuit/p2p/${member.peerId.toString()}`))
    const stream = await connection.newStream(ECHO, { runOnLimitedConnection: true })
    let back = 0
    onBytes(stream, (bytes) => (back += bytes.length))
    stream.send(new Uint8Array(20_000))
    await vi.waitFor(() => expect(back).toBe(20_000), WITHIN)
    for (const direction of ['in', 'out'] as const) {
      expect(counted[direction]).toBeGreaterThan(40_000)
      // Once: neither twice for both of its connections, nor again below them.
      expect(counted[direction]).toBeLessThan(60_000)
    }
  })
})
