import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChunkSet } from './chunk-plan.ts'
import { ChunkShares, passOn } from './chunk-shares.ts'

const indicesIn = (runs: readonly (readonly [number, number])[]): number[] =>
  runs.flatMap(([first, count]) => Array.from({ length: count }, (_, at) => first + at))

describe('shares of several sources', () => {
  it('[FI41] whatever comes, fails and is given back, no chunk is asked of two, and each in the end of one', () => {
    const step = fc.record({ most: fc.integer({ min: 1, max: 40 }), comes: fc.nat(100), source: fc.nat(3) })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 90 }), fc.array(step, { maxLength: 60 }), (count, steps) => {
        const present = new ChunkSet(count)
        const shares = new ChunkShares(present)
        const held: number[][] = [[], [], [], []]
        for (const { most, comes, source } of steps) {
          const own = held[source] ?? []
          // What it had comes in part; the rest is given back.
          for (const index of own.slice(0, comes)) present.add(index)
          shares.release(own)
          held[source] = indicesIn(shares.take(most))
          const all = held.flat()
          expect(new Set(all).size).toBe(all.length)
          expect(all.some((index) => present.has(index) && !own.includes(index))).toBe(false)
        }
        for (const own of held) shares.release(own)
        expect(indicesIn(shares.take(count))).toEqual(indicesIn(present.missing(count)))
      }),
    )
  })

  it('[FI41] what is passed on is in proportion to how fast the two are, at least one chunk, and never more than there is', () => {
    expect(passOn({ spare: 90, rate: 1 }, 2)).toBe(60)
    expect([passOn({ spare: 9, rate: 0 }, 5), passOn({ spare: 9, rate: 5 }, 0), passOn({ spare: 0, rate: 1 }, 1)]).toEqual([5, 5, 0])
    fc.assert(
      fc.property(fc.nat(1_000), fc.nat(), fc.nat(), (spare, rate, idle) => {
        const count = passOn({ spare, rate }, idle)
        expect(count >= Math.min(1, spare) && count <= spare).toBe(true)
      }),
    )
  })
})
