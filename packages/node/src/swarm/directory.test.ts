import { CARD_PROTOCOL, decodeCardRequest, encodeCardReply } from '@skein/core'
import { directoryContract } from '@skein/core/contracts'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Libp2pSwarm } from './libp2p-swarm.ts'
import type { RecordJudge } from './stack-parts.ts'
import { TestNetwork, type TestRelay } from './test-network.ts'

const network = new TestNetwork()
afterEach(() => network.clear())
const key = new Uint8Array(32).fill(3)

/** The card drop of a relay, as little of it as is needed. */
async function serveCards(relay: TestRelay): Promise<void> {
  const cards = new Map<string, Uint8Array>()
  await relay.stack().serve(
    CARD_PROTOCOL,
    (_peer, bytes) => {
      const request = decodeCardRequest(bytes)
      if (request.kind === 'put') cards.set(request.key.join(), request.value)
      const value = cards.get(request.key.join())
      return encodeCardReply({ outcome: value === undefined ? 'none' : 'ok', value: value ?? new Uint8Array() })
    },
    { service: 'cards', maxRequestBytes: 16_384 },
  )
}

/** Stands in for signatures: a record begins with the first byte of its key, then comes its age. */
const JUDGE: RecordJudge = {
  verify: (name, record) => record.length === 2 && record[0] === name[0],
  isNewer: (a, b) => (a[1] ?? 0) > (b[1] ?? 0),
}
const DEADLINE = { timeout: 20_000, interval: 50 }

async function member(relay: TestRelay): Promise<Libp2pSwarm> {
  const swarm = await network.swarm({ relays: [relay.url], judge: JUDGE })
  await vi.waitFor(() => expect(swarm.relays()[0]?.reserved).toBe(true), DEADLINE)
  return swarm
}

directoryContract('libp2p', async () => {
  const relay = await network.relay(140, JUDGE)
  await serveCards(relay)
  const [a, b] = [await member(relay), await member(relay)]
  return { a, b, relayUrl: relay.url, record: { key, older: Uint8Array.of(3, 1), newer: Uint8Array.of(3, 2) }, end: () => network.clear() }
})

describe('directory', { timeout: 60_000 }, () => {
  it('leaves cards with every joined relay, fetches them, and tells absence from an unreachable relay', async () => {
    const relay = await network.relay()
    await serveCards(relay)
    const [a, b] = [await network.swarm({ relays: [relay.url] }), await network.swarm()]
    expect(await b.leaveCard(key, new Uint8Array([1]), Date.now() + 60_000)).toBe(0)
    await vi.waitFor(() => expect(a.relays()[0]?.reserved).toBe(true), { timeout: 20_000 })
    expect(await b.fetchCard(key, relay.url)).toBeNull()
    expect(await a.leaveCard(key, new Uint8Array([1, 2]), Date.now() + 60_000)).toBe(1)
    expect(await b.fetchCard(key, relay.url)).toEqual(new Uint8Array([1, 2]))
    await relay.stop()
    await expect(b.fetchCard(key, relay.url)).rejects.toMatchObject({ code: 'RELAY_UNREACHABLE' })
    await expect(b.fetchCard(key, 'ftp://127.0.0.1')).rejects.toMatchObject({ code: 'RELAY_UNREACHABLE' })
  })

  it('answers null for a record that nobody has', async () => {
    const a = await network.swarm()
    expect(await a.findRecord(key, { signal: AbortSignal.timeout(500) })).toBeNull()
  })

  it('finds a record over another relay that shares nothing but the DHT', async () => {
    const [first, second, third] = await Promise.all([141, 142, 143].map((seed) => network.relay(seed, JUDGE)))
    // A chain: the outer two have never met, and neither has the members of the other.
    if (first === undefined || second === undefined || third === undefined) throw new Error('no relays')
    for (const each of [first, third]) expect(await each.stack().meet(second.stack().addresses())).toBe(true)
    const [a, b] = [await member(first), await member(third)]
    const record = Uint8Array.of(3, 1)
    await vi.waitFor(async () => expect(await a.publishRecord(key, record)).toBe(true), DEADLINE)
    await vi.waitFor(async () => expect(await b.findRecord(key)).toEqual(record), DEADLINE)
    expect([a.isConnected(b.self), b.isConnected(a.self)]).toEqual([false, false])
  })

  it('finds no record that its account did not sign, though somebody publishes it', async () => {
    const relay = await network.relay(144)
    const forger = await network.swarm({ relays: [relay.url], judge: { verify: () => true, isNewer: () => true } })
    await vi.waitFor(() => expect(forger.relays()[0]?.reserved).toBe(true), DEADLINE)
    const b = await member(relay)
    expect(await forger.publishRecord(key, new Uint8Array([1, 2, 3]))).toBe(false)
    expect(await b.findRecord(key)).toBeNull()
  })
})
