import { describe, expect, it } from 'vitest'
import type { MeshAddress } from '../bundle.ts'
import { MAX_NEWS, MAX_NEWS_OF_ONE, NewsBook } from './news-book.ts'

const address = (number: number) => number as MeshAddress

describe('news of addresses', () => {
  it('[ME8] whoever tells of very many takes an eighth of the room, and what others have told stays', () => {
    const news = new NewsBook()
    for (let number = 0; number < 500; number += 1) news.hear(address(number), 1_000, 'ana')
    for (let number = 500; number < 66_000; number += 1) news.hear(address(number), 2_000 + number, 'mallory')
    expect(news.all.size).toBe(500 + MAX_NEWS_OF_ONE)
    expect(news.all.has(address(0))).toBe(true)
    // Renewing what others have told of makes it nobody's to push out.
    for (let number = 0; number < 500; number += 1) news.hear(address(number), 100_000, 'mallory')
    for (let number = 70_000; number < 80_000; number += 1) news.hear(address(number), 100_000 + number, 'mallory')
    for (let number = 0; number < 500; number += 1) expect(news.all.get(address(number))).toBe(100_000)
  })

  it('[ME8] a clock that is set back makes no news fresher than what comes next', () => {
    const news = new NewsBook()
    for (const [number, at] of [10_000, 500].entries()) news.hear(address(number), at, 'ana')
    news.setBack(1_000)
    expect([0, 1].map((number) => news.all.get(address(number)))).toEqual([1_000, 500])
    news.hear(address(0), 1_001, 'bo')
    expect(news.all.get(address(0))).toBe(1_001)
  })

  it('[ME8] nothing goes for older news; of all together the longest unrenewed goes first', () => {
    const news = new NewsBook()
    for (let number = 0; number < MAX_NEWS; number += 1) news.hear(address(number), 1_000, `teller ${number % 20}`)
    news.hear(address(90_000), 999, 'late')
    expect(news.all.has(address(90_000))).toBe(false)
    news.hear(address(0), 1_500, 'ana')
    news.hear(address(90_001), 1_501, 'ana')
    expect([0, 1, 90_001].map((number) => news.all.has(address(number)))).toEqual([true, false, true])
    expect(news.all.size).toBe(MAX_NEWS)
  })
})
