/** Whom a relay remembers as servers of the DHT. The library's routing table is stood in for by a set. */
import type { Connection, PeerId } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { OPEN_RULES } from './circuit/index.ts'
import { DhtGuard, MAX_SERVERS_PER_NETWORK } from './dht-guard.ts'
import { CertificateDatastore } from './relay-datastore.ts'

const MINUTE_MS = 60_000
const guards: DhtGuard[] = []

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }))
afterEach(() => {
  for (const guard of guards.splice(0)) guard.stop()
  vi.useRealTimers()
})

function table() {
  const inTable = new Set<PeerId>()
  const connected = new Map<PeerId, string>()
  const forgotten: string[] = []
  const routingTable = {
    get size() {
      return inTable.size
    },
    kb: { toIterable: () => [...inTable].map((peerId) => ({ peerId })) },
    add: async (peer: PeerId) => void inTable.add(peer),
    remove: async (peer: PeerId) => void inTable.delete(peer),
  }
  const getConnections = (peer: PeerId): Connection[] => {
    const address = connected.get(peer)
    return address === undefined
      ? []
      : [{ id: '1', remotePeer: peer, remoteAddr: multiaddr(`/ip4/${address}/tcp/1`) } as unknown as Connection]
  }
  const durable = { get: () => undefined, put: () => undefined, delete: () => undefined }
  const guard = new DhtGuard(
    { routingTable, rpc: { handleMessage: async () => undefined } } as unknown as KadDHT,
    { getConnections, forget: async (peer) => void forgotten.push(peer.toString()) },
    {
      rules: { ...OPEN_RULES, groupsOf: (address) => [address, address.replace(/\d+$/, '0/24')] },
      datastore: new CertificateDatastore(durable),
      now: () => performance.now(),
    },
  )
  guards.push(guard)
  const come = async (name: string, address: string): Promise<PeerId> => {
    const peer = { toString: () => name } as unknown as PeerId
    connected.set(peer, address)
    await guard.add(peer)
    return peer
  }
  const go = (peer: PeerId): void => {
    connected.delete(peer)
    guard.onGone(peer)
  }
  return { guard, come, go, connected, forgotten }
}

it('[RL30] has few servers of one network in its routing table, and others besides', async () => {
  const { guard, come } = table()
  for (let number = 0; number < 40; number += 1) await come(`sybil ${number}`, `198.51.100.${number}`)
  expect(guard.peers).toBe(MAX_SERVERS_PER_NETWORK)
  await come('other', '203.0.113.1')
  expect(guard.peers).toBe(MAX_SERVERS_PER_NETWORK + 1)
})

it('[RL30] forgets a server some time after it has gone, unless it has come back, and of many the first at once', async () => {
  const { guard, come, go, connected, forgotten } = table()
  const [gone, back] = [await come('gone', '198.51.100.1'), await come('back', '198.51.100.2')]
  go(gone)
  go(back)
  connected.set(back, '198.51.100.2')
  await vi.advanceTimersByTimeAsync(9 * MINUTE_MS)
  expect([guard.peers, forgotten]).toEqual([2, []])
  await vi.advanceTimersByTimeAsync(2 * MINUTE_MS)
  expect([guard.peers, forgotten]).toEqual([1, ['gone']])
  for (let number = 0; number < 1_000; number += 1) go(await come(`sybil ${number}`, `203.0.113.${number % 250}`))
  await vi.advanceTimersByTimeAsync(0)
  expect(forgotten.length).toBeGreaterThan(700)
  expect(guard.peers).toBeLessThanOrEqual(258)
})
