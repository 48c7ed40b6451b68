import { expect, it } from 'vitest'
import { DhtShelf } from './dht-shelf.ts'

const HOUR_MS = 3_600_000

it('[RL30] who leaves too many records pushes out its own; when all is full, whoever has most makes room', () => {
  const shelf = new DhtShelf<string>(
    () => ({ address: 3, network: 4, total: 6 }),
    () => 0,
  )
  const put = (names: readonly string[], ...groups: string[]): string[] => names.flatMap((name) => shelf.put(name, groups))
  expect(put(['h1'], 'home', 'town')).toEqual([])
  expect(put(['a', 'b', 'c', 'd', 'a'], 'cafe', 'city')).toEqual(['a', 'b'])
  expect(put(['e', 'f'], 'bar', 'city')).toEqual(['c'])
  expect(put(['h2', 'h3'], 'home', 'town')).toEqual(['d'])
  expect(shelf.size).toBe(6)
  expect(put(['x', 'y'])).toEqual(['a', 'h1'])
  // A record that is left again counts once, and for the one who left it last.
  expect(put(['h2'], 'cafe', 'city')).toEqual([])
  expect(shelf.size).toBe(6)
})

it('[RL30] a record that nobody leaves again goes after two days', () => {
  let now = 0
  const shelf = new DhtShelf<string>(
    () => ({ address: 9, network: 9, total: 9 }),
    () => now,
  )
  shelf.put('old', ['a', 'b'])
  shelf.put('kept', ['a', 'b'])
  now = 47 * HOUR_MS
  shelf.put('kept', ['a', 'b'])
  now = 48 * HOUR_MS
  expect(shelf.expire()).toEqual(['old'])
  expect(shelf.size).toBe(1)
})
