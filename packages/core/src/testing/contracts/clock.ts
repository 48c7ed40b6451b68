/** What core expects of every Clock: time that passes, waits that are never short and never fail. */
import { describe, expect, it } from 'vitest'
import type { Clock } from '../../ports/clock.ts'

export interface ClockUnderTest {
  readonly clock: Clock
  /** Lets at least `ms` pass on the clock, and what falls due in that time happen. */
  pass(ms: number): Promise<void>
}

/** 1 January 2020, milliseconds since 1970: any clock that runs is later. */
const LONG_AGO = 1_577_836_800_000
/** Long enough to be told from nothing on a real clock, milliseconds. */
const STEP = 40
/** A real clock may count its timers and its time by different grains, milliseconds. */
const GRAIN = 2

export function clockContract(name: string, make: () => ClockUnderTest): void {
  describe(`Clock contract: ${name}`, () => {
    it('tells whole milliseconds since 1970', () => {
      const { clock } = make()
      expect(Number.isInteger(clock.now())).toBe(true)
      expect(clock.now()).toBeGreaterThan(LONG_AGO)
    })

    it('counts monotonic time forward as time passes', async () => {
      const { clock, pass } = make()
      const seen = [clock.monotonic()]
      for (let step = 0; step < 5; step += 1) {
        await pass(STEP)
        seen.push(clock.monotonic())
      }
      const steps = seen.slice(1).map((each, at) => each - (seen[at] ?? 0))
      expect(steps.every((each) => each >= STEP - GRAIN)).toBe(true)
    })

    it('ends a wait with true, and not before its time', async () => {
      const { clock, pass } = make()
      const start = clock.monotonic()
      let waited = -1
      const wait = clock.sleep(2 * STEP).then((elapsed) => {
        waited = clock.monotonic() - start
        return elapsed
      })
      await pass(STEP / 2)
      expect(waited).toBe(-1)
      await pass(2 * STEP)
      expect(await wait).toBe(true)
      expect(waited).toBeGreaterThanOrEqual(2 * STEP - GRAIN)
    })

    it('ends waits in the order of their times, whatever the order they began in', async () => {
      const { clock, pass } = make()
      const ended: number[] = []
      const waits = [3, 1, 2].map((number) => clock.sleep(number * STEP).then(() => ended.push(number)))
      await pass(4 * STEP)
      await Promise.all(waits)
      expect(ended).toEqual([1, 2, 3])
    })

    it('ends a wait of nothing at once', async () => {
      const { clock, pass } = make()
      const wait = clock.sleep(0)
      await pass(GRAIN)
      expect(await wait).toBe(true)
    })

    abortRules(make)
  })
}

function abortRules(make: () => ClockUnderTest): void {
  it('ends a wait with false as soon as its signal aborts, for whatever reason, and does not reject', async () => {
    const { clock } = make()
    for (const reason of [undefined, new Error('over'), 'over']) {
      const stop = new AbortController()
      const wait = clock.sleep(3_600_000, { signal: stop.signal })
      stop.abort(reason)
      expect(await wait).toBe(false)
    }
  })

  it('does not begin a wait whose signal has aborted before', async () => {
    const { clock } = make()
    expect(await clock.sleep(3_600_000, { signal: AbortSignal.abort() })).toBe(false)
  })

  it('takes no notice of a signal that aborts after the wait', async () => {
    const { clock, pass } = make()
    const stop = new AbortController()
    const wait = clock.sleep(STEP, { signal: stop.signal })
    await pass(2 * STEP)
    stop.abort()
    expect(await wait).toBe(true)
  })

  it('ends only the waits of the signal that aborts', async () => {
    const { clock, pass } = make()
    const stop = new AbortController()
    const other = new AbortController()
    const waits = [clock.sleep(STEP, { signal: stop.signal }), clock.sleep(STEP, { signal: other.signal }), clock.sleep(STEP)]
    stop.abort()
    await pass(2 * STEP)
    expect(await Promise.all(waits)).toEqual([false, true, true])
  })
}
