import { deviceIdFromKey } from '@skein/core'
import { describe, expect, it } from 'vitest'
import { Penalties } from './penalties.ts'

const device = (number: number) => deviceIdFromKey(new Uint8Array(32).fill(number % 256).fill(number >> 8, 0, 16))
const MINUTE = 60_000

describe('penalties', () => {
  it('drops a device at its tenth offence in a row and refuses it for ten minutes', () => {
    const penalties = new Penalties()
    const dropped = Array.from({ length: 10 }, (_, at) => penalties.offend(device(1), at * 10))
    expect(dropped).toEqual([...Array(9).fill(false), true])
    expect(penalties.isRefused(device(1), 9 * MINUTE)).toBe(true)
    expect(penalties.isRefused(device(1), 11 * MINUTE)).toBe(false)
    expect(penalties.isRefused(device(2), 0)).toBe(false)
  })

  it('forgives an offence now and then', () => {
    const penalties = new Penalties()
    for (let at = 0; at < 100; at += 1) expect(penalties.offend(device(1), at * 7_000)).toBe(false)
  })

  it('remembers no more than 1,024 devices', () => {
    const penalties = new Penalties()
    for (let number = 0; number < 2_000; number += 1) penalties.offend(device(number), number)
    expect(penalties.size).toBe(1_024)
  })
})
