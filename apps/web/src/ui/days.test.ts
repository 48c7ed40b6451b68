import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { watchDays } from './days.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('a day that ends is told, so that yesterday is not called today', () => {
  vi.setSystemTime(new Date(2026, 0, 1, 23, 58, 30))
  const told: number[] = []
  const stop = watchDays((day) => told.push(day))
  vi.advanceTimersByTime(60_000)
  expect(told).toEqual([])
  vi.advanceTimersByTime(60_000)
  vi.advanceTimersByTime(3_600_000)
  expect(told).toEqual([new Date(2026, 0, 2).getTime()])
  stop()
  vi.advanceTimersByTime(48 * 3_600_000)
  expect(told).toHaveLength(1)
})
