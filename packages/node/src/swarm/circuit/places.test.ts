import { expect, it } from 'vitest'
import { Places } from './places.ts'

it('[RL2] places are counted when they begin, are asked for again and end, also by their time', () => {
  let now = 0
  const places = new Places({ now: () => now, ttlMs: 1_000, groupsOf: () => [] })
  places.take('alice', '198.51.100.1')
  places.take('bob', '198.51.100.2')
  places.take('alice', '198.51.100.3')
  expect([places.changes, places.size]).toEqual([{ begun: 2, renewed: 1, ended: 0 }, 2])
  places.release('bob')
  places.release('bob')
  now = 2_000
  places.take('alice', '198.51.100.3')
  expect([places.changes, places.peers()]).toEqual([{ begun: 3, renewed: 1, ended: 2 }, ['alice']])
})
