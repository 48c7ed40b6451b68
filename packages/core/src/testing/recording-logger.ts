import type { LogFields, Logger } from '../ports/logger.ts'

/** A logger that keeps what it is told, so that a test can look for what must not be in it. */
export class RecordingLogger implements Logger {
  readonly lines: { readonly level: string; readonly event: string; readonly fields: LogFields | undefined }[] = []

  debug(event: string, fields?: LogFields): void {
    this.lines.push({ level: 'debug', event, fields })
  }
  info(event: string, fields?: LogFields): void {
    this.lines.push({ level: 'info', event, fields })
  }
  warn(event: string, fields?: LogFields): void {
    this.lines.push({ level: 'warn', event, fields })
  }
  error(event: string, fields?: LogFields): void {
    this.lines.push({ level: 'error', event, fields })
  }
  child(): Logger {
    return this
  }
}
