import { RELAY_V2_HOP_CODEC } from '@libp2p/circuit-relay-v2'
import type { Libp2p } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { lpStream } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createRelayStack, type RelayStack } from '../relay-stack.ts'
import { securedAndMuxed } from '../stack-parts.ts'
import { silentLogger } from '../test-network.ts'

const TTL_MS = 2_000
/** `HopMessage { type: RESERVE }` of the Circuit Relay v2 specification: field 1, value 0. */
const RESERVE = Uint8Array.of(0x08, 0x00)
let relay: RelayStack
let member: Libp2p

beforeEach(async () => {
  const durable = { get: () => undefined, put: () => undefined, delete: () => undefined }
  const listen = { host: '127.0.0.1', tcp: 0, ws: 'off', webrtc: 'off' } as const
  const privateKeySeed = new Uint8Array(32).fill(77)
  relay = await createRelayStack({ privateKeySeed, listen, durable, logger: silentLogger, reservationTtlMs: TTL_MS })
  member = await createLibp2p({ transports: [tcp()], ...securedAndMuxed() })
})

afterEach(async () => {
  await Promise.all([member.stop(), relay.stop()])
})

/** Asks for a place, or for more time in it, as a client's library does. */
async function reserve(): Promise<void> {
  const connection = await member.dial(multiaddr(relay.addresses()[0]))
  const stream = await connection.newStream(RELAY_V2_HOP_CODEC)
  const frames = lpStream(stream)
  await frames.write(RESERVE)
  await frames.read({ signal: AbortSignal.timeout(TTL_MS) })
  await stream.close()
}

/** Waits until `ms` after `start`, looking all the time whether the place stands. */
async function holdsUntil(start: number, ms: number): Promise<void> {
  await vi.waitUntil(
    () => {
      expect(relay.counts().reservations).toBe(1)
      return performance.now() - start > ms
    },
    { timeout: 10 * TTL_MS, interval: 20 },
  )
}

it('[RL2] a place that is refreshed again and again outlives the timers of its earlier refreshes', { timeout: 20_000 }, async () => {
  const start = performance.now()
  await reserve()
  await reserve()
  await holdsUntil(start, 0.8 * TTL_MS)
  await reserve()
  // The second request's time is over, the third one's is not.
  await holdsUntil(start, 1.3 * TTL_MS)
  await vi.waitFor(() => expect(relay.counts().reservations).toBe(0), { timeout: 5 * TTL_MS })
})

it('[RL2] the timer of a place that its member left does not end the place it takes later', { timeout: 20_000 }, async () => {
  const start = performance.now()
  await reserve()
  await reserve()
  await member.hangUp(multiaddr(relay.addresses()[0]))
  await vi.waitFor(() => expect(relay.counts().reservations).toBe(0), { timeout: TTL_MS })
  await vi.waitUntil(() => performance.now() - start > 0.8 * TTL_MS, { timeout: TTL_MS })
  await reserve()
  await holdsUntil(start, 1.3 * TTL_MS)
})
