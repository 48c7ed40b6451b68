/** What a disk that is full, or fails, keeps the relay from: counted with the refusals, so that log, figures and page tell of it. */
import { failureOf } from './control/failures.ts'

/** For which trouble counts as lasting, ms: the budget, for one, is written down every half a minute. */
const RECENT_MS = 60_000

export interface DiskTroublesParts {
  /** @param reason `disk-full`, `disk-read-only` or `disk-fails` */
  onTrouble(service: string, reason: string): void
  /** Monotonic milliseconds. */
  now(): number
}

export class DiskTroubles {
  readonly #parts: DiskTroublesParts
  #at = Number.NEGATIVE_INFINITY

  constructor(parts: DiskTroublesParts) {
    this.#parts = parts
  }

  /** Whether something could not be written in the last minute. */
  get isRecent(): boolean {
    return this.#parts.now() - this.#at < RECENT_MS
  }

  /** Whatever is no trouble with the disk is somebody else's. */
  note(service: string, error: unknown): void {
    const reason = reasonOf(error)
    if (reason === undefined) return
    this.#at = this.#parts.now()
    this.#parts.onTrouble(service, reason)
  }

  /** What `work` has thrown is noted, and thrown on. */
  watch<T>(service: string, work: () => T): T {
    try {
      return work()
    } catch (error) {
      this.note(service, error)
      throw error
    }
  }
}

function reasonOf(error: unknown): string | undefined {
  const { code } = failureOf(error)
  if (code === 'DISK_FULL') return 'disk-full'
  if (code === 'DATA_DIR_READ_ONLY') return 'disk-read-only'
  return /^(EIO|SQLITE_IOERR|SQLITE_CORRUPT)/.test(String((error as NodeJS.ErrnoException | undefined)?.code)) ? 'disk-fails' : undefined
}
