/** The relay's log: pino on stderr, without peer ids and addresses unless `--debug-identities`. */
import type { LogFields, Logger } from '@skein/core'
import { destination, pino } from 'pino'
import type { Logger as Pino } from 'pino'

/** Fields that say who talked to this relay, and free text that may quote them. */
const PERSONAL_FIELDS: ReadonlySet<string> = new Set(['peer', 'address', 'addresses', 'reason', 'url'])

export interface LogOptions {
  readonly debug: boolean
  /** Whether peer ids and addresses may stand in the log. */
  readonly debugIdentities: boolean
}

export function createLogger(options: LogOptions): Logger {
  // Synchronous: the last lines before an exit are the ones that matter.
  const sink = pino({ base: null, level: options.debug ? 'debug' : 'info' }, destination({ dest: 2, sync: true }))
  return wrap(sink, options.debugIdentities)
}

function wrap(sink: Pino, withIdentities: boolean): Logger {
  const clean = (fields: LogFields = {}): LogFields => (withIdentities ? fields : withoutPersonal(fields))
  return {
    debug: (event, fields) => sink.debug(clean(fields), event),
    info: (event, fields) => sink.info(clean(fields), event),
    warn: (event, fields) => sink.warn(clean(fields), event),
    error: (event, fields) => sink.error(clean(fields), event),
    child: (scope) => wrap(sink.child({ scope }), withIdentities),
  }
}

function withoutPersonal(fields: LogFields): LogFields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !PERSONAL_FIELDS.has(name)))
}
