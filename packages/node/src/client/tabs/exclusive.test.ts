import { afterEach, expect, it } from 'vitest'
import { systemClock, systemRandom } from '../../platform/system.ts'
import { exclusively } from './exclusive.ts'

const NAME = 'exclusive-test'
const closing = new AbortController()
afterEach(() => closing.abort())

/** A tab that leads, and what it hears from and says to another one. */
async function leader() {
  const other = new BroadcastChannel(NAME)
  const heard: { kind: string; since?: number }[] = []
  other.onmessage = ({ data }) => void heard.push(data as { kind: string; since?: number })
  const turn = Promise.withResolvers<AbortSignal>()
  const work = async ({ lost }: { readonly lost: AbortSignal }): Promise<void> => {
    turn.resolve(lost)
    await new Promise<void>((resolve) => AbortSignal.any([lost, closing.signal]).addEventListener('abort', () => resolve(), { once: true }))
  }
  const done = exclusively(NAME, work, { clock: systemClock, random: systemRandom, signal: closing.signal })
  const lost = await turn.promise
  const answers = (): number => heard.filter(({ kind }) => kind === 'me').length
  const answered = async (): Promise<number> => {
    const before = answers()
    other.postMessage({ kind: 'who', from: 'another' })
    await expect.poll(answers, { timeout: 10_000 }).toBeGreaterThan(before)
    return heard.findLast(({ kind }) => kind === 'me')?.since ?? 0
  }
  return { other, lost, done, answered }
}

it('without locks, a tab that was frozen while another took over yields, and the one that took over stays', async () => {
  const { other, lost, done, answered } = await leader()
  const since = await answered()
  // One that was frozen answers what it was asked before it reads that it has lost.
  other.postMessage({ kind: 'me', from: 'ffff', since: since - 60_000 })
  await answered()
  expect(lost.aborted).toBe(false)
  other.postMessage({ kind: 'me', from: '0000', since: since + 60_000 })
  await done
  expect(lost.aborted).toBe(true)
  other.close()
})
