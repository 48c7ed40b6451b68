import type { LogFields, Logger } from '@skein/core'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { sweepEvery } from './sweeping.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('[RL21] a sweep that fails on a full disk is logged, ends nothing, and keeps no other from its turn', () => {
  const logged: LogFields[] = []
  const ignore = (): void => undefined
  const logger: Logger = {
    debug: ignore,
    info: ignore,
    warn: ignore,
    error: (_, fields) => void logged.push(fields ?? {}),
    child: () => logger,
  }
  let swept = 0
  const full = (): void => {
    throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' })
  }
  const sweeping = sweepEvery(1_000, [full, () => void swept++], logger)
  vi.advanceTimersByTime(2_500)
  expect([swept, logged.map(({ code }) => code)]).toEqual([2, ['SQLITE_FULL', 'SQLITE_FULL']])
  sweeping[Symbol.dispose]()
  vi.advanceTimersByTime(5_000)
  expect(swept).toBe(2)
})
