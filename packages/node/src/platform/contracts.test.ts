import fs from 'node:fs'
import { clockContract, loggerContract, randomContract } from '@skein/core/contracts'
import { afterEach, expect, it, vi } from 'vitest'
import { createLogger } from './logger.ts'
import { systemClock, systemRandom } from './system.ts'

interface Line {
  readonly level: number
  readonly event: string
  readonly scope?: string
}

/** Numbers that stand for levels in the lines, as pino has them. */
const LEVELS: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error' }

afterEach(() => vi.restoreAllMocks())

/** Keeps what goes to stderr from there, instead of showing it among the results. */
function catchStderr(): () => readonly Line[] {
  let written = ''
  vi.spyOn(fs, 'writeSync').mockImplementation((fd: number, data: unknown) => {
    expect(fd).toBe(2)
    written += String(data)
    return Buffer.byteLength(String(data))
  })
  return () => {
    const lines = written.split('\n')
    expect(lines.pop()).toBe('')
    return lines.map((line) => JSON.parse(line) as Line)
  }
}

clockContract('system', () => ({
  clock: systemClock,
  pass: async (ms) => {
    const start = performance.now()
    await vi.waitUntil(() => performance.now() - start >= ms, { timeout: 10_000, interval: 1 })
  },
}))

randomContract('system', () => systemRandom)

loggerContract('pino on stderr', () => {
  const lines = catchStderr()
  const fieldsOf = ({ level: _level, event: _event, ...fields }: Line & Readonly<Record<string, string>>) => fields
  return {
    logger: createLogger({ level: 'debug' }),
    lines: () =>
      lines().map((line) => ({
        level: LEVELS[line.level] ?? '',
        event: line.event,
        fields: fieldsOf(line as Parameters<typeof fieldsOf>[0]),
      })),
  }
})

it('lines of a child carry its scope, and only those above the level are written', () => {
  const lines = catchStderr()
  const logger = createLogger({ level: 'warn' })
  logger.child('swarm').warn('heard')
  logger.child('swarm').info('not heard')
  logger.error('heard too')
  expect(lines().map(({ event, scope }) => [event, scope])).toEqual([
    ['heard', 'swarm'],
    ['heard too', undefined],
  ])
})

it('a wait of months is not over at once, and ends when it is called off', async () => {
  vi.useFakeTimers()
  try {
    const months = 100 * 24 * 3_600_000
    let over: boolean | undefined
    void systemClock.sleep(months).then((end) => (over = end))
    await vi.advanceTimersByTimeAsync(months - 1)
    expect(over).toBeUndefined()
    await vi.advanceTimersByTimeAsync(1)
    expect(over).toBe(true)
    const off = new AbortController()
    const called = systemClock.sleep(months, { signal: off.signal })
    await vi.advanceTimersByTimeAsync(months / 2)
    off.abort()
    expect(await called).toBe(false)
    expect(vi.getTimerCount()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})
