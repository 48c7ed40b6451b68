import { afterEach, describe, expect, it, vi } from 'vitest'
import { collector, giveBackMemory, isTimeToGiveBack } from './give-back-memory.ts'

const MIB = 1_048_576
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe('giving memory back', () => {
  it('waits until nobody waits for us, and until it is worth it', () => {
    expect(isTimeToGiveBack({ busy: 0.01, resident: 150 * MIB, kept: 120 * MIB })).toBe(true)
    expect(isTimeToGiveBack({ busy: 0.5, resident: 150 * MIB, kept: 120 * MIB })).toBe(false)
    expect(isTimeToGiveBack({ busy: 0.01, resident: 122 * MIB, kept: 120 * MIB })).toBe(false)
  })

  it('collects once after a burst, not again and again', () => {
    vi.useFakeTimers()
    vi.spyOn(process, 'cpuUsage').mockReturnValue({ user: 0, system: 0 })
    const resident = vi.spyOn(process.memoryUsage, 'rss').mockReturnValue(140 * MIB)
    const collect = vi.fn<() => void>(() => void resident.mockReturnValue(120 * MIB))
    giveBackMemory(collect)
    vi.advanceTimersByTime(60_000)
    expect(collect).toHaveBeenCalledTimes(1)
    resident.mockReturnValue(130 * MIB)
    vi.advanceTimersByTime(60_000)
    expect(collect).toHaveBeenCalledTimes(2)
  })

  it('really frees what nobody holds any more', () => {
    const collect = collector()
    collect({ type: 'major', flavor: 'last-resort', execution: 'sync' })
    const before = process.memoryUsage().heapUsed
    let waste: unknown[] | undefined = Array.from({ length: 200_000 }, (_, number) => ({ number }))
    expect(process.memoryUsage().heapUsed).toBeGreaterThan(before + MIB)
    waste = undefined
    collect({ type: 'major', flavor: 'last-resort', execution: 'sync' })
    expect(process.memoryUsage().heapUsed).toBeLessThan(before + MIB)
    expect(waste).toBeUndefined()
  })
})
