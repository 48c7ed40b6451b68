import {
  chanceOf,
  cutPieces,
  isSkeinError,
  joinPieces,
  MAX_COLLECTED_BYTES,
  MAX_SETS,
  noblePrimitives,
  openPiece,
  PieceCollector,
  planPieces,
  transform,
  TRANSFORM_BYTES,
  untransform,
} from '@skein/core'
import { erasureContract } from '@skein/core/contracts'
import { seededRandom } from '@skein/core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openErasureCode } from './erasure.ts'

erasureContract('reed-solomon-erasure', openErasureCode)

const code = await openErasureCode()
const primitives = noblePrimitives
const random = seededRandom(1)
const tools = { primitives, random, code }
const text = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes)

describe('pieces', () => {
  it('[ME23] any k of n make the content whole, whatever its length', () => {
    const shape = fc.integer({ min: 1, max: 8 }).chain((k) => fc.tuple(fc.constant(k), fc.integer({ min: k, max: 24 })))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3_000 }), shape, fc.nat(), (content, [k, n], seed) => {
        const pieces = cutPieces(content, { k, n }, tools).map((piece) => openPiece(piece, primitives))
        const chosen = shuffled(pieces, seed).slice(0, k)
        expect(joinPieces(chosen, tools)).toEqual(content)
        expect(joinPieces(chosen.slice(1), tools)).toBeUndefined()
      }),
      { numRuns: 60 },
    )
  })

  it('[ME23] without any part of the whole nothing of the content can be had, by construction', () => {
    const content = new TextEncoder().encode('the same words again and again. '.repeat(40))
    const whole = transform(content, primitives, random)
    expect(whole).toHaveLength(content.length + TRANSFORM_BYTES)
    expect(untransform(whole, primitives)).toEqual(content)
    // One bit of difference anywhere, and the key behind it is another one.
    for (const at of [0, 500, whole.length - 33, whole.length - 1]) {
      const changed = whole.slice()
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(untransform(changed, primitives)).toBeUndefined()
    }
  })

  it('[ME23] fewer than k pieces reveal nothing, by experiment: those of two contents cannot be told apart', () => {
    const [zeros, words] = [new Uint8Array(4_000), new TextEncoder().encode('attack at dawn. '.repeat(250))]
    const means = [zeros, words].map((content) => {
      const parts = Array.from({ length: 40 }, () => cutPieces(content, { k: 4, n: 8 }, tools).slice(0, 3)).flat()
      const bytes = parts.flatMap((piece) => [...openPiece(piece, primitives).part])
      expect(parts.some((part) => /attack|dawn/.test(text(part)))).toBe(false)
      return bytes.reduce((sum, byte) => sum + byte, 0) / bytes.length
    })
    // Both look like noise: 120,000 bytes with a mean of 127.5 and a standard error of 0.21.
    for (const mean of means) expect(Math.abs(mean - 127.5)).toBeLessThan(1)
    expect(cutPieces(zeros, { k: 2, n: 4 }, tools)[0]).not.toEqual(cutPieces(zeros, { k: 2, n: 4 }, tools)[0])
  })

  it('[ME23] at a survival of 0.7 and three times the bytes 99.9 % arrive, by calculation and by experiment', () => {
    const plan = planPieces({ survival: 0.7, paths: 24, budget: 3 })
    expect(plan).toMatchObject({ kind: 'pieces' })
    expect(plan.n / plan.k).toBeLessThanOrEqual(3)
    expect(plan.arrival).toBeGreaterThan(0.999)
    const content = new Uint8Array(300).fill(7)
    const pieces = cutPieces(content, plan, tools).map((piece) => openPiece(piece, primitives))
    let arrived = 0
    for (let run = 0; run < 500; run += 1)
      if (
        joinPieces(
          pieces.filter(() => random.uniform() < 0.7),
          tools,
        ) !== undefined
      )
        arrived += 1
    // One of 500 may be lost by chance; of three copies 13 would be.
    expect(arrived).toBeGreaterThanOrEqual(499)
    // Three copies: 97.3 %.
    expect(plan.arrival).toBeGreaterThan(1 - 0.3 ** 3)
  })

  it('[ME23] never worse than copies at the same bytes, and honest where there is one path only', () => {
    const wish = fc.record({
      survival: fc.double({ min: 0.01, max: 1, noNaN: true }),
      paths: fc.integer({ min: 1, max: 40 }),
      budget: fc.integer({ min: 1, max: 6 }),
    })
    fc.assert(
      fc.property(wish, ({ survival, paths, budget }) => {
        const plan = planPieces({ survival, paths, budget })
        expect(plan.arrival).toBeGreaterThanOrEqual(1 - (1 - survival) ** Math.min(paths, budget) - 1e-9)
        expect(plan.n).toBeLessThanOrEqual(Math.max(1, paths))
        expect(plan.kind === 'one-path').toBe(paths === 1)
      }),
    )
    expect(planPieces({ survival: 0.3, paths: 16, budget: 2 })).toMatchObject({ k: 1, n: 2, kind: 'copies' })
    expect(chanceOf(8, 16, 0.9)).toBeCloseTo(1, 3)
    expect(chanceOf(8, 16, 0.5)).toBeCloseTo(0.598, 3)
  })

  it('[ME23] a forged piece is refused, and pieces of nothing stay within bounds', () => {
    const collector = new PieceCollector({ primitives, code })
    const content = new Uint8Array(900).fill(3)
    const pieces = cutPieces(content, { k: 3, n: 6 }, tools)
    const forged = (pieces[0] ?? new Uint8Array()).slice()
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1
    expect(() => collector.add(forged)).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
    expect([pieces[5], pieces[5], pieces[1]].map((piece) => collector.add(piece ?? new Uint8Array()))).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    for (let number = 0; number < MAX_SETS - 1; number += 1) collector.add(cutPieces(random.bytes(99), { k: 2, n: 2 }, tools)[0] ?? forged)
    expect(collector.add(pieces[2] ?? forged)).toEqual(content)
    for (let number = 0; number < 45; number += 1) collector.add(cutPieces(random.bytes(400_000), { k: 2, n: 2 }, tools)[0] ?? forged)
    expect(collector.usedBytes).toBeLessThanOrEqual(MAX_COLLECTED_BYTES)
  })

  it('[ME23] garbage is refused with BAD_FRAME', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          openPiece(bytes, primitives)
        } catch (error) {
          expect(isSkeinError(error, 'BAD_FRAME')).toBe(true)
        }
      }),
    )
  })
})

function shuffled<T>(list: readonly T[], seed: number): T[] {
  const chance = seededRandom(seed)
  return list
    .map((value) => ({ value, order: chance.uniform() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ value }) => value)
}
