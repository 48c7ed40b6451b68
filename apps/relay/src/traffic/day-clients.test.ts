import { expect, it } from 'vitest'
import { DayClients } from './day-clients.ts'

it('[RL15] devices of a day are counted once, until the day is over, and nothing is kept of them', () => {
  let now = 10 * 86_400_000
  const clients = new DayClients(() => now)
  for (const peer of ['alice', 'bob', 'alice']) clients.note(peer)
  expect(clients.count()).toBe(2)
  now += 86_400_000
  expect(clients.count()).toBe(0)
  clients.note('alice')
  expect([clients.count(), JSON.stringify(Object.entries(clients))]).toEqual([1, '[]'])
  for (let n = 0; n < 70_000; n += 1) clients.note(`peer ${n}`)
  expect(clients.count()).toBe(65_536)
})
