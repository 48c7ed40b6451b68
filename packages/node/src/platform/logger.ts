import type { Logger } from '@skein/core'
import { destination, type Logger as PinoLogger, pino } from 'pino'

export interface LoggerOptions {
  readonly level: 'error' | 'warn' | 'info' | 'debug'
}

/** JSON lines on stderr: stdout belongs to results. */
export function createLogger({ level }: LoggerOptions): Logger {
  return wrap(pino({ level, base: null }, destination({ fd: 2, sync: true })))
}

function wrap(log: PinoLogger): Logger {
  return {
    debug: (event, fields) => log.debug({ event, ...fields }),
    info: (event, fields) => log.info({ event, ...fields }),
    warn: (event, fields) => log.warn({ event, ...fields }),
    error: (event, fields) => log.error({ event, ...fields }),
    child: (scope) => wrap(log.child({ scope })),
  }
}
