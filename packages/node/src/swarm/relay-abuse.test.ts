/** What a stranger asks of a relay's DHT and gossip that no client of ours would. */
import { connect } from 'node:net'
import { type GossipSub, gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { kadDHT, type KadDHT } from '@libp2p/kad-dht'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { CID } from 'multiformats/cid'
import { identity } from 'multiformats/hashes/identity'
import { createLibp2p } from 'libp2p'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { OPEN_RULES, type RelayRules } from './circuit/index.ts'
import { DHT_PROTOCOL, GOSSIP_OPTIONS, recordKey, securedAndMuxed } from './stack-parts.ts'
import { TestNetwork } from './test-network.ts'

const WITHIN = { timeout: 60_000, interval: 50 }
const network = new TestNetwork()
const strangers: Stranger[] = []
type Stranger = Libp2p<{ dht: KadDHT; gossip: GossipSub }>

afterEach(async () => {
  await Promise.all(strangers.splice(0).map((each) => each.stop()))
  await network.clear()
})

/** The library with all that it would do, and no judge. */
async function stranger(relay: string | undefined): Promise<Stranger> {
  const takeAll = { skein: async () => undefined, pk: async () => undefined }
  const node: Stranger = await createLibp2p({
    transports: [tcp()],
    ...securedAndMuxed(),
    services: {
      identify: identify(),
      ping: ping(),
      dht: kadDHT({ protocol: DHT_PROTOCOL, clientMode: true, peerInfoMapper: (peer) => peer, validators: takeAll }),
      gossip: gossipsub(GOSSIP_OPTIONS),
    },
  })
  strangers.push(node)
  // Again where a busy machine takes longer than the library gives a handshake.
  await vi.waitFor(() => node.dial(multiaddr(relay)), WITHIN)
  return node
}

/** How many have taken it. */
async function put(node: Stranger, key: Uint8Array, value: Uint8Array): Promise<number> {
  let taken = 0
  try {
    for await (const event of node.services.dht.put(key, value, { signal: AbortSignal.timeout(10_000) }))
      if (event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE') taken += 1
  } catch {
    // Refused.
  }
  return taken
}

const digest = (number: number): Uint8Array => new Uint8Array(32).fill(number)

describe('a relay that is asked for too much', { timeout: 180_000 }, () => {
  it('[RL30] keeps records of accounts within bounds, and neither keys nor providers of anybody', async () => {
    const rules: RelayRules = {
      ...OPEN_RULES,
      groupsOf: (each) => [each, 'loopback'],
      dhtRecords: () => ({ address: 3, network: 9, total: 9 }),
    }
    const relay = await network.relay(150, { verify: () => true, isNewer: () => true }, rules)
    const node = await stranger(relay.stack().addresses()[0])
    await vi.waitFor(async () => expect(await put(node, recordKey(digest(1)), digest(1))).toBe(1), WITHIN)
    for (const number of [2, 3, 4, 5]) expect(await put(node, recordKey(digest(number)), digest(1))).toBe(1)
    expect(relay.stack().counts().dhtRecords).toBe(3)
    const peer = node.peerId
    if (peer.type !== 'Ed25519') throw new Error('another kind of key')
    const ownKey = Uint8Array.of(...new TextEncoder().encode('/pk/'), ...peer.toMultihash().bytes)
    const { publicKeyToProtobuf } = await import('@libp2p/crypto/keys')
    expect(await put(node, ownKey, publicKeyToProtobuf(peer.publicKey))).toBe(0)
    expect(await put(node, recordKey(digest(9).subarray(0, 20)), digest(1))).toBe(0)
    const cid = CID.createV1(0x55, identity.digest(digest(1)))
    const answers: string[] = []
    for await (const event of node.services.dht.findProviders(cid, { signal: AbortSignal.timeout(10_000) })) answers.push(event.name)
    expect(answers).not.toContain('PROVIDER')
    expect(relay.stack().counts().dhtRecords).toBe(3)
  })

  it('[RL30] takes no more questions than the rules allow', async () => {
    let left = 1_000
    const relay = await network.relay(151, { verify: () => true, isNewer: () => true }, { ...OPEN_RULES, mayAsk: () => left-- > 0 })
    const node = await stranger(relay.stack().addresses()[0])
    await vi.waitFor(async () => expect(await put(node, recordKey(digest(1)), digest(1))).toBe(1), WITHIN)
    left = 0
    expect(await put(node, recordKey(digest(2)), digest(1))).toBe(0)
    expect(relay.stack().counts().dhtRecords).toBe(1)
  })

  it('[RL30, RL35] cuts off a question to the DHT that does not end', async () => {
    const refused: string[] = []
    const relay = await network.relay(154, undefined, { ...OPEN_RULES, onRefused: (...what) => void refused.push(what.join(' ')) })
    const node = await stranger(relay.stack().addresses()[0])
    const stream = await node.getConnections()[0]?.newStream(DHT_PROTOCOL)
    // The length of a message of 2 MiB, and less than that of it.
    stream?.send(Uint8Array.of(0x80, 0x80, 0x80, 0x01))
    for (let sent = 0; sent < 8; sent += 1) stream?.send(new Uint8Array(16_384))
    await vi.waitFor(() => expect(refused).toEqual(['dht size']), WITHIN)
    await vi.waitFor(() => expect(stream?.status).not.toBe('open'), WITHIN)
    expect(node.getConnections()).toHaveLength(1)
  })

  it('[RL11, RL35] who dribbles through the handshake holds up its own address and no other', async () => {
    const refused: string[] = []
    const rules = { ...OPEN_RULES, groupsOf: (each: string) => [each], onRefused: (...what: string[]) => void refused.push(what.join(' ')) }
    const relay = await network.relay(155, undefined, rules)
    const port = Number(/\/tcp\/(\d+)\/p2p/.exec(relay.stack().addresses().join(' '))?.[1])
    const sockets = Array.from({ length: 300 }, () => connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' }))
    for (const each of sockets) each.on('error', () => undefined).on('connect', () => each.write('\x13/multi'))
    await vi.waitFor(() => expect(refused.length).toBeGreaterThanOrEqual(44), WITHIN)
    expect(new Set(refused)).toEqual(new Set(['handshake pending']))
    expect((await stranger(relay.stack().addresses()[0])).getConnections()).toHaveLength(1)
    for (const each of sockets) each.destroy()
  })

  it('[RL31] passes on no gossip that no member would take, says so, and cuts off who goes on', async () => {
    const refused: string[] = []
    const relay = await network.relay(153, undefined, { ...OPEN_RULES, onRefused: (...what) => void refused.push(what.join(' ')) })
    const [address] = relay.stack().addresses()
    const topic = `/skein/presence/1/${relay.stack().peerId}`
    const [bad, good] = [await stranger(address), await stranger(address)]
    for (const each of [bad, good]) each.services.gossip.subscribe(topic)
    const heard: unknown[] = []
    good.services.gossip.addEventListener('message', (event) => heard.push(event))
    let said = 0
    await vi.waitFor(async () => {
      await bad.services.gossip.publish(topic, new Uint8Array(Buffer.from(`present ${said++}`)))
      expect(bad.getConnections()).toEqual([])
    }, WITHIN)
    expect(refused.length).toBeGreaterThanOrEqual(9)
    expect(heard).toEqual([])
    expect(good.getConnections()).toHaveLength(1)
  })
})
