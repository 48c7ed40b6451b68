import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { farewell } from './drain.ts'

const counts = (circuits: number) => ({
  connections: 9,
  peers: 9,
  reservations: 9,
  places: { begun: 9, renewed: 0, ended: 0 },
  circuits,
  oldestHoldMs: 0,
  dhtPeers: 0,
  dhtRecords: 0,
  gossipMessages: 0,
})

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

it('[RL18] a relay that is ended by a signal takes nobody new, tells everybody, and waits while circuits are moved', async () => {
  const rules = { draining: false }
  let circuits = 3
  const told: number[] = []
  const giveNotice = async (withinMs: number): Promise<void> => void told.push(withinMs)
  let isOver = false
  void farewell({ counts: () => counts(circuits), giveNotice }, rules).then(() => (isOver = true))
  await vi.advanceTimersByTimeAsync(500)
  expect([rules.draining, told.length, isOver]).toEqual([true, 1, false])
  circuits = 0
  await vi.advanceTimersByTimeAsync(500)
  expect([told.length, isOver]).toEqual([1, true])
})

it('[RL18] those who do not listen hold it up for a second', async () => {
  let isOver = false
  const never = new Promise<void>(() => undefined)
  void farewell({ counts: () => counts(3), giveNotice: () => never }, { draining: false }).then(() => (isOver = true))
  await vi.advanceTimersByTimeAsync(900)
  expect(isOver).toBe(false)
  await vi.advanceTimersByTimeAsync(200)
  expect(isOver).toBe(true)
})
