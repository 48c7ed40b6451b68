/** What core expects of every Logger: each line whole, and never a failure because of what it was given. */
import { describe, expect, it } from 'vitest'
import type { LogFields, Logger } from '../../ports/logger.ts'

/** One line as it came out, whatever it looks like on paper. */
export interface LoggedLine {
  readonly level: string
  readonly event: string
  readonly fields: LogFields | undefined
}

export interface LoggerUnderTest {
  /** Lets every level through. */
  readonly logger: Logger
  /** Everything logged so far, in order. */
  lines(): readonly LoggedLine[]
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

export function loggerContract(name: string, make: () => LoggerUnderTest): void {
  describe(`Logger contract: ${name}`, () => {
    it('writes one line for each call, with its level, event and fields, in order', () => {
      const { logger, lines } = make()
      for (const level of LEVELS) logger[level](`${level}-happened`, { device: 'd', attempts: 3, busy: false })
      expect(lines()).toMatchObject(
        LEVELS.map((level) => ({ level, event: `${level}-happened`, fields: { device: 'd', attempts: 3, busy: false } })),
      )
    })

    it('needs no fields, and none of them needs a value', () => {
      const { logger, lines } = make()
      logger.info('alone')
      logger.info('without', { reason: undefined })
      expect(lines().map(({ event }) => event)).toEqual(['alone', 'without'])
      expect(lines()[1]?.fields?.['reason']).toBeUndefined()
    })

    it('keeps a line one line, whatever a peer made us write', () => {
      const { logger, lines } = make()
      const reason = 'a"b\\c\r\n{"level":"error","event":"forged"}\u001b[2J\u0000\ud800'
      logger.warn('open-failed', { reason })
      expect(lines().map(({ event }) => event)).toEqual(['open-failed'])
    })

    it('writes the lines of a child, and of its child, to the same place', () => {
      const { logger, lines } = make()
      const child = logger.child('swarm')
      child.child('relay').error('inner', { attempts: 1 })
      child.info('middle')
      logger.info('outer')
      expect(lines()).toMatchObject([
        { level: 'error', event: 'inner', fields: { attempts: 1 } },
        { level: 'info', event: 'middle' },
        { level: 'info', event: 'outer' },
      ])
    })
  })
}
