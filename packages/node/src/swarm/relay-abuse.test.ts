/** What a stranger asks of a relay's DHT and gossip that no client of ours would. */
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

/** The library with all that it would do, and no judge. @param clientMode whether it says that it is no server */
async function stranger(relay: string | undefined, { clientMode = true } = {}): Promise<Stranger> {
  const takeAll = { skein: async () => undefined, pk: async () => undefined }
  const node: Stranger = await createLibp2p({
    addresses: { listen: clientMode ? [] : ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    ...securedAndMuxed(),
    services: {
      identify: identify(),
      ping: ping(),
      dht: kadDHT({ protocol: DHT_PROTOCOL, clientMode, peerInfoMapper: (peer) => peer, validators: takeAll }),
      gossip: gossipsub(GOSSIP_OPTIONS),
    },
  })
  strangers.push(node)
  await node.dial(multiaddr(relay))
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

  it('[RL30] has few servers of one network in its routing table', async () => {
    const relay = await network.relay(152, undefined, { ...OPEN_RULES, groupsOf: (each) => [each, 'loopback'] })
    const [address] = relay.stack().addresses()
    for (let count = 0; count < 20; count += 1) await stranger(address, { clientMode: false })
    await vi.waitFor(() => expect(relay.stack().counts().dhtPeers).toBeGreaterThan(12), WITHIN)
    expect(relay.stack().counts().dhtPeers).toBeLessThanOrEqual(16)
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
