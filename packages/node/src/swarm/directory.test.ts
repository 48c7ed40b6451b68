import { decodeCardRequest, encodeCardReply } from '@skein/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { CARD_PROTOCOL } from './directory.ts'
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
    { maxRequestBytes: 16_384 },
  )
}

describe('directory', { timeout: 60_000 }, () => {
  it('leaves cards with every joined relay, fetches them, and tells absence from an unreachable relay', async () => {
    const relay = await network.relay()
    await serveCards(relay)
    const [a, b] = [await network.swarm({ relays: [relay.url] }), await network.swarm()]
    expect(await a.leaveCard(key, new Uint8Array([1]), Date.now() + 60_000)).toBe(0)
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
})
