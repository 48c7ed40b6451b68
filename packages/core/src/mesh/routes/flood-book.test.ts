import { describe, expect, it } from 'vitest'
import { FloodBook } from './flood-book.ts'

const bytes = (length: number): Uint8Array => new Uint8Array(length)

describe('floods', () => {
  it('[ME24] where copies are nearly always surplus a word is sent, until neighbours ask again', () => {
    const book = new FloodBook()
    expect(book.isWorthSending(4, 'a')).toBe(true)
    for (let number = 0; number < 20; number += 1) {
      book.keep(`${number}`, { bytes: bytes(1), hop: 4, at: number })
      book.count(4, 'a', 0)
      book.correct(`${number}`, 'a', 1)
    }
    expect(book.isWorthSending(4, 'a')).toBe(false)
    expect(book.isWorthSending(3, 'a')).toBe(true)
    expect(book.isWorthSending(4, 'b')).toBe(true)
    for (let number = 20; number < 40; number += 1) {
      book.keep(`${number}`, { bytes: bytes(1), hop: 4, at: number })
      book.count(4, 'a', 1)
      book.correct(`${number}`, 'a', -1)
    }
    expect(book.isWorthSending(4, 'a')).toBe(true)
  })

  it('[ME24] a lost link takes with it what was learned of it; of the others half of it stays', () => {
    const book = new FloodBook()
    for (const link of ['a', 'b']) for (let number = 0; number < 20; number += 1) book.count(4, link, 1)
    book.drop('a')
    expect([book.isWorthSending(4, 'a'), book.isWorthSending(4, 'b')]).toEqual([true, false])
    book.drop('c')
    expect(book.isWorthSending(4, 'b')).toBe(false)
    book.drop('d')
    expect(book.isWorthSending(4, 'b')).toBe(true)
  })

  it('[ME24] what was announced is asked for after 20 milliseconds, of three neighbours one after the other, then forgotten', () => {
    const book = new FloodBook()
    for (const link of ['a', 'b', 'c', 'd']) book.announced('x', { link, now: 0 })
    expect(book.missing(19)).toEqual([])
    expect([20, 40, 60, 80].flatMap((now) => book.missing(now).map(({ link }) => link))).toEqual(['a', 'b', 'c'])
    expect(book.isWaiting).toBe(false)
    book.announced('y', { link: 'a', now: 0 })
    book.arrived('y')
    expect(book.missing(1_000)).toEqual([])
  })

  it('[ME24] what is kept is given once to whom it was named, for five seconds', () => {
    const book = new FloodBook()
    for (const key of ['new', 'old']) book.keep(key, { bytes: new Uint8Array(9), hop: 0, at: 1_000 })
    for (const key of ['new', 'old']) book.name(key, 'x')
    expect(book.asked('new', { link: 'y', now: 1_001 })).toBeUndefined()
    const given = [1_001, 1_002].map((now) => book.asked('new', { link: 'x', now })?.length)
    expect([...given, book.asked('old', { link: 'x', now: 6_000 })]).toEqual([9, undefined, undefined])
  })

  it('[ME24] announcements of nothing, and what has passed, are bounded', () => {
    const book = new FloodBook()
    for (let number = 0; number < 10_000; number += 1) book.announced(`${number}`, { link: 'a', now: 0 })
    expect(book.missing(100).length).toBeLessThanOrEqual(4_096)
    for (let number = 0; number < 50; number += 1) book.keep(`${number}`, { bytes: bytes(200_000), hop: 1, at: 0 })
    for (let number = 0; number < 50; number += 1) book.name(`${number}`, 'x')
    const kept = Array.from({ length: 50 }, (_, number) => book.asked(`${number}`, { link: 'x', now: 0 })?.length ?? 0)
    expect(kept.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(4 * 1_048_576)
    expect(kept.at(-1)).toBe(200_000)
  })
})
