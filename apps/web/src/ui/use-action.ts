/** An action of the user that may fail: what it is doing, and what to say when it failed. */
import { useCallback, useState } from 'react'
import { describeError, useStrings } from '../client/context.tsx'

export interface Action {
  readonly busy: boolean
  /** What went wrong the last time, in the user's language. */
  readonly problem: string | undefined
  /** @returns whether it worked */
  run(work: () => Promise<unknown>): Promise<boolean>
  /** What went wrong is no longer so. */
  clear(): void
}

/** @param problems what codes mean here, before what they mean everywhere */
export function useAction(problems: Readonly<Record<string, string>> = {}): Action {
  const strings = useStrings()
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<{ readonly thrown: unknown }>()
  const run = useCallback(async (work: () => Promise<unknown>) => {
    setBusy(true)
    setError(undefined)
    try {
      await work()
      return true
    } catch (thrown) {
      setError({ thrown })
      return false
    } finally {
      setBusy(false)
    }
  }, [])
  const clear = useCallback(() => setError(undefined), [])
  return { busy, clear, problem: error === undefined ? undefined : describeError(strings, error.thrown, problems), run }
}
