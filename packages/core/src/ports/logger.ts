/** Structured log. Fields never hold message text, names, keys or invite secrets. */
export interface Logger {
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
  /** A logger whose lines carry `scope`. */
  child(scope: string): Logger
}

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>
