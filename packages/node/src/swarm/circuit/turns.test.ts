import { expect, it } from 'vitest'
import { Turns } from './turns.ts'

const MIB = 1_048_576

/** An event loop in which each turn of bulk takes so long, ms. */
function loop(busyMs: number) {
  let now = 0
  const due: { readonly at: number; readonly go: () => void }[] = []
  const pauses: number[] = []
  const turns = new Turns({
    now: () => now,
    soon: (go) => void due.push({ at: now + busyMs, go }),
    later: (go, ms) => {
      pauses.push(ms)
      due.push({ at: now + ms, go })
    },
  })
  const run = (): void => {
    for (let next = due.shift(); next !== undefined; next = due.shift()) {
      now = Math.max(now, next.at)
      next.go()
    }
  }
  return { turns, run, pauses, now: () => now }
}

it('[RL12] bulk goes on in the order of asking, so many bytes in a turn, and at once where nobody chats', () => {
  const { turns, run, pauses } = loop(1)
  const gone: string[] = []
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) turns.wait(65_536, () => gone.push(name))
  turns.wait(MIB, () => gone.push('large'))
  run()
  expect(gone.join('')).toBe('abcdeflarge')
  expect(pauses).toEqual([])
})

it('[RL12] while somebody chats bulk takes no more than half of the time, and all of it again some time after', () => {
  const { turns, run, pauses, now } = loop(5)
  const again = (left: number): void => {
    if (left > 0) turns.wait(262_144, () => again(left - 1))
  }
  turns.noteChat()
  again(40)
  run()
  const during = pauses.length
  expect(during).toBeGreaterThan(35)
  expect(pauses.every((ms) => ms >= 5 && ms <= 20)).toBe(true)
  const before = now()
  again(1_000)
  run()
  // Half a second without chat, then no more pauses.
  expect(pauses.length - during).toBeLessThan(20)
  expect(now() - before).toBeLessThan(1_000 * 6)
})
