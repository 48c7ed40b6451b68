import { expect, it } from 'vitest'
import { VirtualClock } from '../testing/virtual-clock.ts'
import { DailyRoom } from './daily-room.ts'

it('[MB19] nobody is counted while there is room; then an address has a 64th a day, its network a 32nd, and others are not held up', async () => {
  const clock = new VirtualClock()
  const room = new DailyRoom(clock, { maxBytes: 6_400 })
  const at = (address: string, network: string) => ({ connection: address, address, network })
  for (let number = 0; number < 50; number += 1) room.take(at('one', 'town'), 10)
  expect(room.allows(at('one', 'town'), 10, 3_199)).toBe(true)
  expect(room.allows(at('one', 'town'), 10, 3_200)).toBe(false)
  expect(room.allows(at('neighbour', 'town'), 10, 3_200)).toBe(false)
  room.take(at('far', 'village'), 90)
  expect([10, 11].map((bytes) => room.allows(at('far', 'village'), bytes, 6_000))).toEqual([true, false])
  expect(room.allows(at('near', 'village'), 100, 6_000)).toBe(true)
  expect(room.allows({ connection: 'mesh' }, 1_000, 6_000)).toBe(true)
  await clock.advance(86_400_000)
  expect(room.allows(at('one', 'town'), 100, 6_000)).toBe(true)
})
