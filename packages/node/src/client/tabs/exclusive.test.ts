import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock, systemRandom } from '../../platform/system.ts'
import { exclusively } from './exclusive.ts'

const NAME = 'exclusive-test'
let closing = new AbortController()
beforeEach(() => void (closing = new AbortController()))
afterEach(() => closing.abort())

/** A tab that leads, and what it hears from and says to another one. @param last when a tab took its turn before */
async function leader(last = 0) {
  const other = new BroadcastChannel(NAME)
  const heard: { kind: string; since?: number }[] = []
  other.onmessage = ({ data }) => void heard.push(data as { kind: string; since?: number })
  const turn = Promise.withResolvers<AbortSignal>()
  const work = async ({ lost }: { readonly lost: AbortSignal }): Promise<void> => {
    turn.resolve(lost)
    await new Promise<void>((resolve) => AbortSignal.any([lost, closing.signal]).addEventListener('abort', () => resolve(), { once: true }))
  }
  const nextTurn = (next: (last: number) => number): Promise<number> => Promise.resolve(next(last))
  const done = exclusively(NAME, work, { clock: systemClock, random: systemRandom, signal: closing.signal, nextTurn })
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

it('[TB8] without locks, a tab that was frozen while another took over yields, and the one that took over stays', async () => {
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

it('[TB8] without locks, a tab takes over from one that was frozen though the clock was set back since, and stays', async () => {
  const ahead = systemClock.now() + 3_600_000
  const { other, lost, answered } = await leader(ahead)
  expect(await answered()).toBeGreaterThan(ahead)
  other.postMessage({ kind: 'me', from: 'ffff', since: ahead })
  await answered()
  expect(lost.aborted).toBe(false)
  other.close()
})
