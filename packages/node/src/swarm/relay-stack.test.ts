import { Server } from 'node:net'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { type GossipSub, gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { Libp2p, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { lpStream } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { communityNetwork, type DeviceId, encodePresenceFrame, type Logger, makeIdentity, openIdentity, signPresence } from '@skein/core'
import { createLibp2p } from 'libp2p'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemRandom } from '../platform/system.ts'
import { probeRelay } from './probe.ts'
import { createRelayStack, nativePrimitives } from './relay-stack.ts'
import type { RelayStack } from './relay-stack.ts'
import { GOSSIP_OPTIONS } from './stack-parts.ts'

const silent: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => silent }
const DEADLINE = { timeout: 20_000 }
/** Above the library's 15. */
const MANY = 20
const MIB = 1_048_576

let relay: RelayStack
type Client = Libp2p<{ gossip: GossipSub }>
const nodes: Client[] = []

beforeEach(async () => {
  relay = await start()
})

afterEach(async () => {
  await Promise.all(nodes.splice(0).map((each) => each.stop()))
  await relay.stop()
})

function start(announceHost?: string, host = '127.0.0.1'): Promise<RelayStack> {
  const kept = new Map<string, Uint8Array>()
  const durable = {
    get: (key: string) => kept.get(key),
    put: (key: string, value: Uint8Array) => void kept.set(key, value),
    delete: (key: string) => void kept.delete(key),
  }
  const others = host === '::' ? 0 : 'off'
  const listen = { host, tcp: 0, ws: 0, webrtc: others, quic: others } as const
  return createRelayStack({ privateKeySeed: new Uint8Array(32).fill(1), listen, announceHost, durable, logger: silent })
}

const tcpAddress = () => relay.addresses().find((each) => !each.includes('/ws')) ?? ''

async function client(listen: readonly string[] = []): Promise<Client> {
  const node: Client = await createLibp2p({
    addresses: { listen: [...listen] },
    transports: [tcp(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify(), gossip: gossipsub(GOSSIP_OPTIONS) },
  })
  nodes.push(node)
  return node
}

const reserved = () => client([`${tcpAddress()}/p2p-circuit`])

async function countBytes(stream: Stream): Promise<void> {
  let total = 0
  for await (const part of stream) {
    total += part.byteLength
    if (total === MIB) stream.send(new Uint8Array([1]))
  }
}

describe('relay stack', { timeout: 60_000 }, () => {
  it('announces every listener, with its own host or the one it is told', async () => {
    expect(relay.addresses()).toHaveLength(2)
    for (const each of relay.addresses()) expect(each).toMatch(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+(\/ws)?\/p2p\//)
    const other = await start('198.51.100.7')
    expect(other.addresses()).toHaveLength(2)
    for (const each of other.addresses()) expect(each).toMatch(/^\/ip4\/198\.51\.100\.7\/tcp\/\d+(\/ws)?\/p2p\//)
    await other.stop()
  })

  it('[RL28] told to listen on all of IPv6 it is reached by IPv4 as well', async () => {
    const other = await start(undefined, '::')
    const ways = other.addresses().filter((each) => each.startsWith('/ip4/127.0.0.1/'))
    expect(ways.length).toBeGreaterThanOrEqual(3)
    expect(other.addresses().filter((each) => each.startsWith('/ip6/fe80:'))).toEqual([])
    const probed = await probeRelay(ways, { withinMs: DEADLINE.timeout })
    await other.stop()
    expect(probed.filter(({ error }) => error !== undefined)).toEqual([])
  })

  it('holds more reservations than the library allows by default, and frees each when its peer has gone', async () => {
    const members: Client[] = []
    // One after the other: the library gives a reservation 5 s, which a busy machine needs for twenty at once.
    while (members.length < MANY) members.push(await reserved())
    await vi.waitFor(() => expect(relay.counts().reservations).toBe(MANY), DEADLINE)
    await members[0]?.stop()
    await vi.waitFor(() => expect(relay.counts().reservations).toBe(MANY - 1), DEADLINE)
    expect(relay.isConnected(members[0]?.peerId.toString() ?? '')).toBe(false)
  })

  it('[RL11] turns nobody away without counting: only the rules bound its connections', async () => {
    const listen = vi.spyOn(Server.prototype, 'listen')
    const other = await start()
    const bounds = listen.mock.contexts.map((server) => (server as Server).maxConnections)
    listen.mockRestore()
    await other.stop()
    expect(bounds).toEqual([undefined, undefined])
  })

  it('carries 1 MiB through one circuit without limits', async () => {
    const receiver = await reserved()
    await receiver.handle('/test/sink/1', countBytes)
    await vi.waitFor(() => expect(relay.counts().reservations).toBe(1), DEADLINE)
    const sender = await client()
    const connection = await sender.dial(multiaddr(`${tcpAddress()}/p2p-circuit/p2p/${receiver.peerId.toString()}`))
    expect(connection.limits).toBeUndefined()
    const stream = await connection.newStream('/test/sink/1')
    const answer = new Promise<void>((resolve, reject) => {
      stream.addEventListener('message', () => resolve())
      stream.addEventListener('close', () => reject(new Error('The circuit was cut.')))
    })
    for (let sent = 0; sent < MIB; sent += 16_384) stream.send(new Uint8Array(16_384))
    await answer
    expect(relay.counts().circuits).toBe(1)
  })

  it("forwards the community's presence between members that have only the relay in common", async () => {
    const topic = `/skein/presence/1/${relay.peerId}`
    const members = await Promise.all([client(), client()])
    const heard: string[] = []
    for (const member of members) {
      member.services.gossip.addEventListener('message', (event) => heard.push(Buffer.from(event.detail.data).toString()))
      member.services.gossip.subscribe(topic)
      await member.dial(multiaddr(tcpAddress()))
    }
    const identity = openIdentity(nativePrimitives, makeIdentity(systemRandom, 1))
    const presence = { network: communityNetwork(nativePrimitives, relay.peerId as DeviceId), name: '', lease: 0 }
    // Anew until one arrives: the mesh forms at the next heartbeat, and gossip promises nothing before.
    await vi.waitFor(async () => {
      const own = signPresence(nativePrimitives, identity, { ...presence, at: Date.now() })
      await members[0]?.services.gossip.publish(topic, encodePresenceFrame({ kind: 'presence', own }))
      expect(heard).not.toEqual([])
    }, DEADLINE)
    expect(relay.counts().gossipMessages).toBeGreaterThan(0)
  })

  it('serves a protocol of one request and one reply', async () => {
    await relay.serve('/skein/test/1', ({ peer }, request) => new Uint8Array([...Buffer.from(peer), ...request]), {
      service: 'cards',
      maxRequestBytes: 8,
    })
    const asker = await client()
    const ask = async (bytes: Uint8Array) => {
      const frames = lpStream(await asker.dialProtocol(multiaddr(tcpAddress()), '/skein/test/1'))
      await frames.write(bytes)
      return frames.read({ signal: AbortSignal.timeout(DEADLINE.timeout) })
    }
    expect(Buffer.from((await ask(new Uint8Array([33]))).subarray()).toString()).toBe(`${asker.peerId.toString()}!`)
    await expect(ask(new Uint8Array(9))).rejects.toThrow()
  })
})
