import type { LogFields, Logger } from '@skein/core'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { isNotable, Refusals } from './refusals.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('[RL35] a flood is counted to the last one and is two lines in the log: the first at once, the others together', () => {
  const lines: [string, LogFields | undefined][] = []
  const ignore = (): void => undefined
  const warn = (event: string, fields?: LogFields): void => void lines.push([event, fields])
  const logger: Logger = { debug: ignore, info: ignore, warn, error: ignore, child: () => logger }
  const refusals = new Refusals(logger)
  for (let n = 0; n < 1_000; n += 1) refusals.count('dht', 'rate')
  expect(lines).toEqual([['refused', { service: 'dht', why: 'rate' }]])
  refusals.count('http', 'bytes')
  vi.advanceTimersByTime(60_000)
  expect(lines.slice(1)).toEqual([
    ['refused', { service: 'http', why: 'bytes' }],
    ['refused-more', { service: 'dht', why: 'rate', count: 999 }],
  ])
  refusals.count('dht', 'rate')
  expect(lines).toHaveLength(4)
  expect(refusals.totals()).toEqual([
    { service: 'dht', reason: 'rate', count: 1_001 },
    { service: 'http', reason: 'bytes', count: 1 },
  ])
  refusals[Symbol.dispose]()
})

it('[RL21] what comes to nothing while the relay stops is not counted: it ends that itself', () => {
  const ignore = (): void => undefined
  const logger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore, child: () => logger }
  const refusals = new Refusals(logger)
  refusals.stop()
  refusals.count('handshake', 'failed')
  refusals.count('mail', 'disk-full')
  expect(refusals.totals()).toEqual([{ service: 'mail', reason: 'disk-full', count: 1 }])
  refusals[Symbol.dispose]()
})

it('[RL35] what was refused is recent for ten minutes', () => {
  const ignore = (): void => undefined
  const logger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore, child: () => logger }
  const refusals = new Refusals(logger)
  refusals.count('connect', 'peer')
  vi.advanceTimersByTime(5 * 60_000)
  refusals.count('connect', 'peer')
  expect(refusals.recent()).toEqual([{ service: 'connect', reason: 'peer', count: 2 }])
  vi.advanceTimersByTime(6 * 60_000)
  expect(refusals.recent()).toEqual([{ service: 'connect', reason: 'peer', count: 1 }])
  vi.advanceTimersByTime(5 * 60_000)
  expect([refusals.recent(), refusals.totals()[0]?.count]).toEqual([[], 2])
  refusals[Symbol.dispose]()
})

/** @param field what is kept of each line, beside level and event */
function logged(field: string): { readonly lines: string[]; readonly logger: Logger } {
  const lines: string[] = []
  const ignore = (): void => undefined
  const told = (level: string) => (event: string, fields?: LogFields) => void lines.push(`${level} ${event} ${fields?.[field]}`)
  const logger: Logger = { debug: ignore, info: told('info'), warn: told('warn'), error: ignore, child: () => logger }
  return { lines, logger }
}

it('[RL35] what comes to nothing by itself is told as news, and what a limit refuses as a warning', () => {
  const { lines, logger } = logged('why')
  const refusals = new Refusals(logger)
  for (const why of ['failed', 'failed', 'pending']) refusals.count('handshake', why)
  for (const [service, why] of [
    ['dht', 'malformed'],
    ['dht', 'size'],
    ['mail', 'size'],
    ['none', 'failed'],
  ] as const)
    refusals.count(service, why)
  refusals[Symbol.dispose]()
  const first = ['info refused failed', 'warn refused pending', 'info refused malformed', 'warn refused size', 'info refused size']
  expect(lines).toEqual([...first, 'warn refused failed', 'info refused-more failed'])
})

it('[RL35] of what comes to nothing by itself a flood is told as a warning, and is one to look at', () => {
  const { lines, logger } = logged('count')
  const refusals = new Refusals(logger)
  for (let n = 0; n < 30_000; n += 1) refusals.count('stun', 'malformed')
  expect(refusals.recent().filter(isNotable)).toEqual([])
  refusals.count('stun', 'malformed')
  expect(refusals.recent().filter(isNotable)).toEqual([{ service: 'stun', reason: 'malformed', count: 30_001 }])
  vi.advanceTimersByTime(60_000)
  expect(lines).toEqual(['info refused undefined', 'warn refused-more 30000'])
  refusals[Symbol.dispose]()
})
