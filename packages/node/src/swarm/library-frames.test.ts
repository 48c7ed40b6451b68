/** What comes on streams of the library's own protocols and is nothing: a relay ends it, and counts it as what it was. */
import { gossipsub } from '@libp2p/gossipsub'
import { identify, identifyPush } from '@libp2p/identify'
import type { Libp2p, Stream, StreamMuxer } from '@libp2p/interface'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { OPEN_RULES } from './circuit/index.ts'
import { watchedGossip } from './library-frames.ts'
import { hubOptions } from './relay-hub.ts'
import type { RelayStack } from './relay-stack.ts'
import { securedAndMuxed } from './stack-parts.ts'
import { TestNetwork } from './test-network.ts'

const WITHIN = { timeout: 60_000, interval: 20 }
const IDENTIFY = '/ipfs/id/1.0.0'
const PUSH = '/ipfs/id/push/1.0.0'
const PING = '/ipfs/ping/1.0.0'
const GOSSIP = '/meshsub/1.1.0'
/** A field of a number that ends before it. */
const UNREADABLE = Uint8Array.of(1, 8)
const network = new TestNetwork()
const nodes: Libp2p[] = []
let refused: string[]
let relay: RelayStack

beforeEach(async () => {
  refused = []
  const onRefused = (...what: string[]): void => void refused.push(what.join(' '))
  relay = (await network.relay(170, undefined, { ...OPEN_RULES, onRefused })).stack()
})
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((each) => each.stop()))
  await network.clear()
})

async function stranger(options: Parameters<typeof createLibp2p>[0] = {}): Promise<Libp2p> {
  const node = await createLibp2p({ transports: [tcp()], ...securedAndMuxed(), ...options })
  nodes.push(node)
  return node
}

async function meet(node: Libp2p, address = relay.addresses()[0]): Promise<void> {
  // Again where a busy machine takes longer than the library gives a handshake.
  await vi.waitFor(() => node.dial(multiaddr(address)), WITHIN)
}

async function say(protocol: string, bytes: Uint8Array): Promise<Stream> {
  const node = await stranger()
  await meet(node)
  const stream = await node.getConnections()[0]?.newStream(protocol)
  if (stream === undefined) throw new Error('not connected')
  stream.send(bytes)
  return stream
}

const counted = async (): Promise<string[]> => {
  await vi.waitFor(() => expect(refused.length).toBeGreaterThan(0), WITHIN)
  return refused
}

/** One frame of gossip with so many subscriptions, each of them empty. */
const subscriptions = (count: number): Uint8Array =>
  Uint8Array.of(0x80 | ((count * 2) % 128), count >> 6, ...Array.from({ length: count }, () => [10, 0]).flat())

describe('[RL21] a relay of which nonsense is said in the libraries’ own protocols', { timeout: 120_000 }, () => {
  it.each([
    [PUSH, UNREADABLE, 'identify malformed'],
    [PUSH, Uint8Array.of(0x81, 0x7f), 'identify size'],
    [IDENTIFY, new Uint8Array(100_000), 'identify size'],
    [PING, new Uint8Array(100_000), 'ping size'],
  ])('on %s, case %#: counts it once, and ends the stream', async (protocol, bytes, what) => {
    const stream = await say(protocol, bytes)
    await vi.waitFor(() => expect(stream.status).not.toBe('open'), WITHIN)
    expect(await counted()).toEqual([what])
  })

  it.each([
    [UNREADABLE, 'gossip malformed'],
    [subscriptions(129), 'gossip size'],
    [Uint8Array.of(0x81, 0x80, 0x40), 'gossip size'],
    [new Uint8Array(12).fill(0xff), 'gossip malformed'],
  ])('as gossip, case %#: counts it once', async (bytes, what) => {
    const stream = await say(GOSSIP, bytes)
    expect(await counted()).toEqual([what])
    await stream.close()
  })

  it.each([
    [Uint8Array.of(3, 1, 2, 3), 'connection malformed'],
    [Uint8Array.of(0x81, 0x7f), 'connection size'],
  ])('before a protocol is agreed on, case %#: counts it once', async (bytes, what) => {
    const node = await stranger()
    await meet(node)
    const { muxer } = node.getConnections()[0] as unknown as { muxer: StreamMuxer }
    const stream = await muxer.createStream()
    stream.send(bytes)
    await vi.waitFor(() => expect(stream.status).not.toBe('open'), WITHIN)
    expect(await counted()).toEqual([what])
  })

  it('counts a stream that is one too many for its protocol, which ends', async () => {
    const node = await stranger()
    await meet(node)
    for (let count = 0; count < 3; count += 1) await node.getConnections()[0]?.newStream(PING)
    expect(await counted()).toEqual(['connection streams'])
    await vi.waitFor(() => expect(node.getConnections()[0]?.streams).toHaveLength(2), WITHIN)
  })

  it('counts an answer to the question who somebody is that is none', async () => {
    const node = await stranger()
    await node.handle(IDENTIFY, (stream) => void stream.send(UNREADABLE))
    await meet(node)
    expect(await counted()).toEqual(['identify malformed'])
  })

  it('counts nothing of peers that say what they should, come and go', async () => {
    const services = { identify: identify(), push: identifyPush(), ping: ping(), gossip: gossipsub(hubOptions('none')) }
    for (const abrupt of [false, true]) {
      const node = await stranger({ services })
      await meet(node)
      await expect(node.getConnections()[0]?.newStream('/skein/none/1')).rejects.toThrow()
      await (node.services as unknown as { ping: { ping(to: unknown): Promise<number> } }).ping.ping(node.getPeers()[0])
      if (abrupt) node.getConnections()[0]?.abort(new Error('gone'))
      await node.stop()
    }
    await vi.waitFor(() => expect(relay.counts().connections).toBe(0), WITHIN)
    await say(PUSH, UNREADABLE)
    expect(await counted()).toEqual(['identify malformed'])
  })
})

it('[RL21, RL31] a peer that takes nothing of what gossip passes on is ended there, and told of once', { timeout: 120_000 }, async () => {
  const told: string[] = []
  const gossip = (components: Parameters<ReturnType<typeof gossipsub>>[0]) =>
    watchedGossip(gossipsub({ ...hubOptions('news'), allowPublishToZeroTopicPeers: true })(components), (why) => void told.push(why))
  const hub = await createLibp2p({
    transports: [tcp()],
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    ...securedAndMuxed(),
    services: { identify: identify(), gossip },
  })
  nodes.push(hub)
  hub.services.gossip.subscribe('news')
  const deaf = await stranger({ services: { identify: identify() } })
  await deaf.handle(GOSSIP, (stream) => stream.pause())
  await meet(deaf, hub.getMultiaddrs()[0]?.toString())
  const subscription = Uint8Array.of(10, 10, 8, 8, 1, 18, 4, ...new TextEncoder().encode('news'))
  const stream = await deaf.getConnections()[0]?.newStream(GOSSIP)
  stream?.send(subscription)
  await vi.waitFor(() => expect(hub.services.gossip.getSubscribers('news')).toHaveLength(1), WITHIN)
  let sent = 0
  // What is said before the hub has opened its stream goes nowhere.
  await vi.waitFor(async () => {
    await hub.services.gossip.publish('news', new Uint8Array(65_536).fill((sent += 1)))
    expect(told).toEqual(['unread'])
  }, WITHIN)
  expect(deaf.getConnections()).toHaveLength(1)
})
