import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ASK_AGAIN_MS, askAgain } from './ask-again.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('[PT2] what is shown of a way is asked for again and again, also after a question that failed, until it is shown no more', async () => {
  const answers = ['the other side begins', new Error('busy'), 'no hole was found']
  const shown: string[] = []
  let asked = 0
  const ask = async (): Promise<string> => {
    const answer = answers[asked++] ?? 'asked in vain'
    if (answer instanceof Error) throw answer
    return answer
  }
  const end = askAgain(ask, (answer) => shown.push(answer))
  await vi.advanceTimersByTimeAsync(0)
  expect(shown).toEqual(['the other side begins'])
  await vi.advanceTimersByTimeAsync(2 * ASK_AGAIN_MS)
  expect(shown).toEqual(['the other side begins', 'no hole was found'])
  end()
  await vi.advanceTimersByTimeAsync(2 * ASK_AGAIN_MS)
  expect(asked).toBe(3)
})
