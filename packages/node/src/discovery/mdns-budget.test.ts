import { describe, expect, it } from 'vitest'
import { MAX_MDNS_OF_ONE, MAX_MDNS_PER_SECOND, MDNS_TIME_MS, MDNS_TIME_OF_ONE_MS } from './constants.ts'
import { MdnsBudget } from './mdns-budget.ts'

const admitted = (budget: MdnsBudget, senders: readonly string[], now = 0): number =>
  senders.filter((each) => budget.admits(each, now)).length
const times = (count: number, sender: string): readonly string[] => Array.from({ length: count }, () => sender)

describe('what is looked at of mDNS', () => {
  it('[LD6] whoever floods is heard no more than others, and silences nobody', () => {
    const budget = new MdnsBudget()
    expect(admitted(budget, times(10_000, '10.0.0.66'))).toBe(MAX_MDNS_OF_ONE)
    expect(admitted(budget, times(MAX_MDNS_OF_ONE, '10.0.0.1'))).toBe(MAX_MDNS_OF_ONE)
    expect(admitted(budget, times(1, '10.0.0.66'), 1_000)).toBe(1)
  })

  it('[LD6] a crowd is bounded', () => {
    const crowd = Array.from({ length: 5_000 }, (_, number) => `10.0.${number >> 8}.${number & 255}`)
    expect(admitted(new MdnsBudget(), crowd)).toBe(MAX_MDNS_PER_SECOND)
  })

  it('[LD6] whoever sends what is slow to read has less of it read, and so has everybody when there is much of it', () => {
    const budget = new MdnsBudget()
    const read = (sender: string, now: number): boolean => {
      const isRead = budget.admits(sender, now)
      if (isRead) budget.spend(sender, MDNS_TIME_OF_ONE_MS)
      return isRead
    }
    expect([read('10.0.0.66', 0), read('10.0.0.66', 1), read('10.0.0.1', 2)]).toEqual([true, false, true])
    const slow = Array.from({ length: 100 }, (_, number) => read(`10.0.1.${number}`, 3)).filter(Boolean)
    expect(2 + slow.length).toBe(MDNS_TIME_MS / MDNS_TIME_OF_ONE_MS)
    expect(read('10.0.0.66', 1_000)).toBe(true)
  })
})
