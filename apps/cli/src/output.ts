/** What goes to stdout and how the process ends. */
import { isSkeinError } from '@skein/core'
import { fromApiError } from '@skein/node/api'
import { CommanderError } from 'commander'
import { printable } from './terminal-text.ts'

/** Exit codes of the command line contract. */
export const EXIT = { done: 0, failed: 1, usage: 2, timedOut: 3, noDaemon: 4 } as const

export interface Output {
  readonly json: boolean
  /** Prints one result: the object with --json, else `human`. */
  result(value: object, human: string): void
}

export function createOutput(json: boolean): Output {
  return {
    json,
    result: (value, human) => void process.stdout.write(json ? `${JSON.stringify(value)}\n` : human === '' ? '' : `${printable(human)}\n`),
  }
}

function describe(error: unknown): { code: string; message: string; exit: number } {
  const own = fromApiError(error)
  if (own instanceof CommanderError) return { code: 'USAGE', message: own.message.replace(/^error: /, ''), exit: EXIT.usage }
  if (!isSkeinError(own)) return { code: 'INTERNAL', message: own instanceof Error ? own.message : String(own), exit: EXIT.failed }
  const exits: Partial<Record<string, number>> = {
    USAGE: EXIT.usage,
    CONFIG_INVALID: EXIT.usage,
    TIMED_OUT: EXIT.timedOut,
    NO_DAEMON: EXIT.noDaemon,
  }
  return { code: own.code, message: own.message, exit: exits[own.code] ?? EXIT.failed }
}

/** Reports a failure and returns the exit code. */
export function reportFailure(error: unknown, json: boolean): number {
  const { code, message, exit } = describe(error)
  if (json) process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`)
  else process.stderr.write(`skein: ${printable(message)}\n`)
  return exit
}
