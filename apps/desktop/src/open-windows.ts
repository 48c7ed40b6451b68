/** Windows that are open, by their connections to the API; and when a window that was to be opened has come to its end. */
import type { Clock } from '@skein/core'

/** A window that is loaded anew, or whose connection was cut, is back before this, ms. */
const BACK_WITHIN_MS = 2_000
/** The same where nothing else tells that it is open: its browser ran before. It outlasts a client that is started anew, ms. */
const BACK_ELSEWHERE_MS = 30_000
/** For a browser that runs already to show the window that it was handed, ms. */
const SHOWN_WITHIN_MS = 20_000
/** For a browser that starts, and neither ends nor shows anything, ms. */
const HANGS_AFTER_MS = 30_000

interface Connection {
  once(event: 'close', listener: () => void): unknown
}

export class OpenWindows {
  private count = 0
  private changed = new AbortController()
  /** There has been one. */
  seen = false

  add(connection: Connection): void {
    this.seen = true
    this.put(1)
    connection.once('close', () => this.put(-1))
  }

  /** Resolves when none has been open for so long. */
  async none(ms: number, clock: Pick<Clock, 'sleep'>): Promise<void> {
    for (;;) {
      const { signal } = this.changed
      if (this.count > 0) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      else if (await clock.sleep(ms, { signal })) return
    }
  }

  /** Whether there has been one, or comes one within so long. */
  async comes(ms: number, clock: Pick<Clock, 'sleep'>): Promise<boolean> {
    if (!this.seen) await clock.sleep(ms, { signal: this.changed.signal })
    return this.seen
  }

  private put(by: 1 | -1): void {
    this.count += by
    this.changed.abort()
    this.changed = new AbortController()
  }
}

/**
 * @param exited exit code of the browser that was started for it; nothing when it could not be started
 * @returns whether there was a window at all, as soon as there is none any more, or none has come
 */
export async function windowEnded(
  exited: Promise<number | undefined>,
  windows: OpenWindows,
  clock: Pick<Clock, 'sleep'>,
): Promise<boolean> {
  const hangs = windows.comes(HANGS_AFTER_MS, clock).then((isShown) => !isShown)
  if (await Promise.race([exited.then(() => false), hangs])) return false
  const code = await exited
  // Where one runs on the same profile already, the new one hands the window over to it and ends.
  const isOwn = windows.seen
  if (!isOwn && (code !== 0 || !(await windows.comes(SHOWN_WITHIN_MS, clock)))) return false
  await windows.none(isOwn ? BACK_WITHIN_MS : BACK_ELSEWHERE_MS, clock)
  return true
}
