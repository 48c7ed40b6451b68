/** Randomness and log in a browser. */
import type { LogFields, Logger, Random } from '@skein/core'

/** What `crypto.getRandomValues` gives at once, at most. */
const MAX_RANDOM_BYTES = 65_536

export const browserRandom: Random = {
  bytes: (count) => {
    const bytes = new Uint8Array(count)
    for (let at = 0; at < count; at += MAX_RANDOM_BYTES) crypto.getRandomValues(bytes.subarray(at, at + MAX_RANDOM_BYTES))
    return bytes
  },
  uniform: () => Math.random(),
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LEVELS)[number]

/** Lines on the console, from `level` on. */
export function consoleLogger(level: LogLevel, scope = 'skein'): Logger {
  const write =
    (at: LogLevel) =>
    (event: string, fields?: LogFields): void => {
      if (LEVELS.indexOf(at) >= LEVELS.indexOf(level)) globalThis.console[at](`${scope}: ${event}`, fields ?? {})
    }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (name) => consoleLogger(level, `${scope}/${name}`),
  }
}
