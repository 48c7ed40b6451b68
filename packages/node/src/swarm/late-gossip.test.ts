import type { GossipSubComponents } from '@libp2p/gossipsub'

import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type * as GossipCode from './gossip.ts'
import { LateGossip } from './late-gossip.ts'
import { silentLogger } from './test-network.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('gossip whose code cannot be loaded is asked for again, and keeps nobody waiting meanwhile', async () => {
  const subscribed: string[] = []
  const published: string[] = []
  const code = {
    makeGossip: () => ({ protocols: [] }),
    subscribeTopic: (_gossip: unknown, topic: string) => subscribed.push(topic),
    publishTopic: async (_gossip: unknown, topic: string) => published.push(topic),
  } as unknown as typeof GossipCode
  let tries = 0
  const load = async (): Promise<typeof GossipCode> => {
    tries += 1
    if (tries < 3) throw new Error('the relay restarts just now')
    return code
  }
  const components = { connectionManager: { getConnections: () => [] } } as unknown as GossipSubComponents
  const gossip = new LateGossip(components, { afterMs: 3_000, load })
  const publish = (): Promise<void> => gossip.publish('presence', { bytes: new Uint8Array(), logger: silentLogger })
  gossip.subscribe('presence', { receive: async () => 'accept', logger: silentLogger })
  await gossip.start()
  await vi.advanceTimersByTimeAsync(3_000)
  await publish()
  expect([tries, subscribed, published]).toEqual([1, [], []])
  await vi.advanceTimersByTimeAsync(15_000)
  await publish()
  expect([tries, subscribed, published]).toEqual([3, ['presence'], ['presence']])
  await vi.advanceTimersByTimeAsync(3_600_000)
  expect(tries).toBe(3)
  await gossip.stop()
})
