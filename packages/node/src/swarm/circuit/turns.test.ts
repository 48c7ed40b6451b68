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
      const one = { at: now + ms, go }
      due.push(one)
      return () => void due.splice(due.indexOf(one), 1)
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
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) turns.wait(name, 65_536, () => gone.push(name))
  turns.wait('large', MIB, () => gone.push('large'))
  run()
  expect(gone.join('')).toBe('abcdeflarge')
  expect(pauses).toEqual([])
})

it('[RL12] while somebody chats bulk takes no more than half of the time, and all of it again some time after', () => {
  const { turns, run, pauses, now } = loop(5)
  const again = (left: number): void => {
    if (left > 0) turns.wait('one', 262_144, () => again(left - 1))
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

it('[RL12] whoever has many flows has no more turns than others, and one that fails takes no turn of theirs', () => {
  const { turns, run } = loop(1)
  const gone: string[] = []
  const again = (sender: string, left: number): void =>
    turns.wait(sender, 65_536, () => {
      gone.push(sender)
      if (left > 0) again(sender, left - 1)
    })
  for (let n = 0; n < 256; n += 1) again('heavy', 1)
  again('light', 50)
  run()
  // Whose one flow asks again is asked for between two of the others' each time.
  expect(gone.slice(0, 200).filter((each) => each === 'light').length).toBeGreaterThan(40)
  turns.wait('a', 65_536, () => {
    throw new Error('wrong')
  })
  turns.wait('b', 65_536, () => gone.push('b'))
  expect(run).toThrow('wrong')
  run()
  expect(gone.at(-1)).toBe('b')
})

it('[RL12] who waits for a rate goes on at once when it is another one, and once', () => {
  const { turns, run } = loop(1)
  const gone: string[] = []
  turns.rest(3_600_000, () => gone.push('a'))
  const end = turns.rest(3_600_000, () => gone.push('b'))
  end()
  turns.wake()
  expect(gone).toEqual(['a'])
  run()
  turns.wake()
  expect(gone).toEqual(['a'])
})
