import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../testing/seeded-random.ts'
import { MAX_SYMBOLS, SYMBOL_BYTES } from '../../wire/mesh.ts'
import { type KeyHalves, SymbolSequence } from './coded-symbols.ts'
import { type Found, isIn, keyHalves, MAX_REQUESTS, Reconciliation, WHOLE } from './reconciliation.ts'

interface Outcome {
  readonly found: Found
  readonly symbols: number
  /** Frames with symbols. */
  readonly rounds: number
}

function reconciled(theirs: readonly KeyHalves[], ours: readonly KeyHalves[], salt: number, part = WHOLE): Outcome {
  const sender = new Reconciliation(theirs, salt, part)
  const receiver = new Reconciliation(ours, salt, part)
  let sketch = sender.begin()
  for (let rounds = 1, symbols = 0; ; rounds += 1) {
    symbols += sketch.symbols.length / SYMBOL_BYTES
    const found = receiver.take(sketch)
    if (found.kind !== 'more') return { found, symbols, rounds }
    const next = sender.goOn(found.symbols)
    if (next === undefined) return { found: { kind: 'given-up' }, symbols, rounds }
    sketch = next
  }
}

function sets(seed: number, sizes: { common: number; theirs: number; ours: number }): [KeyHalves[], KeyHalves[]] {
  const random = seededRandom(seed)
  const keys = (count: number) =>
    Array.from({ length: count }, () => ({ high: Math.floor(random.uniform() * 2 ** 32), low: Math.floor(random.uniform() * 2 ** 32) }))
  const common = keys(sizes.common)
  return [
    [...common, ...keys(sizes.theirs)],
    [...common, ...keys(sizes.ours)],
  ]
}

const keyOf = fc.tuple(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }))
const digits = ([high, low]: readonly number[]): string => [high, low].map((half) => (half ?? 0).toString(16).padStart(8, '0')).join('')

describe('reconciliation', () => {
  it('[ME7] finds exactly what the sets do not share, for any sets', () => {
    const keySet = fc.uniqueArray(keyOf, { maxLength: 60, selector: digits })
    fc.assert(
      fc.property(keySet, keySet, keySet, fc.nat(), (common, left, right, salt) => {
        const both = new Set(common.map(digits))
        const theirs = new Set([...both, ...left.map(digits)])
        const ours = new Set([...both, ...right.map(digits)])
        const { found } = reconciled([...theirs].map(keyHalves), [...ours].map(keyHalves), salt)
        if (found.kind !== 'difference') throw new Error(found.kind)
        expect([...found.theirs].sort()).toEqual([...theirs].filter((key) => !ours.has(key)).sort())
        expect([...found.ours].sort()).toEqual([...ours].filter((key) => !theirs.has(key)).sort())
      }),
      { numRuns: 200 },
    )
  })

  it('[ME7] 100 differences among 10,000 take at most 1.7 symbols each on average, and seldom more than two requests', () => {
    const runs = Array.from({ length: 20 }, (_, seed) => reconciled(...sets(seed, { common: 9_950, theirs: 50, ours: 50 }), seed))
    expect(runs.every(({ found }) => found.kind === 'difference' && found.theirs.length === 50 && found.ours.length === 50)).toBe(true)
    expect(runs.reduce((sum, { symbols }) => sum + symbols, 0) / runs.length).toBeLessThanOrEqual(170)
    expect(runs.filter(({ rounds }) => rounds <= 3).length).toBeGreaterThanOrEqual(16)
  })

  it('[ME7] equal sets are recognised from the first frame', () => {
    expect(reconciled(...sets(1, { common: 10_000, theirs: 0, ours: 0 }), 7)).toMatchObject({ symbols: 3, rounds: 1 })
  })

  it.each([4_000, 60_000])(
    '[ME7] %i differences are too many at once, which shows from the first frame, and are found share by share',
    (count) => {
      const [theirs, ours] = sets(1, { common: 1_000, theirs: count, ours: 0 })
      expect(reconciled(theirs, ours, 7)).toMatchObject({ found: { kind: 'too-many' }, symbols: 3 })
      const depth = count > 30_000 ? 3 : 1
      const shares = Array.from({ length: depth === 1 ? 4 : 3 }, (_, share) => reconciled(theirs, ours, 7, { depth, share }))
      const named = shares.flatMap(({ found }) => (found.kind === 'difference' ? found.theirs : []))
      expect(new Set(named).size).toBe(theirs.slice(1_000).filter((key) => shares.some((_, share) => isIn({ depth, share }, key))).length)
      expect(Math.max(...shares.map(({ symbols }) => symbols))).toBeLessThanOrEqual(MAX_SYMBOLS)
    },
  )

  it('[ME7] symbols that belong to no set at all are given up on, within bounds', () => {
    const random = seededRandom(5)
    const receiver = new Reconciliation([], 1)
    let found: Found = { kind: 'more', symbols: 3 }
    let frames = 0
    for (let from = 0; found.kind === 'more'; frames += 1) {
      const { symbols } = found
      found = receiver.take({ salt: 1, from, symbols: random.bytes(symbols * SYMBOL_BYTES), pulls: new Uint8Array(0), ...WHOLE })
      from += symbols
    }
    expect(frames).toBeLessThanOrEqual(MAX_REQUESTS)
    expect(found.kind).toBe('too-many')
  })

  it('[ME7] whoever asks for one symbol after the other, or for more than there may be, gets no more', () => {
    const patient = new Reconciliation([], 1)
    const answers = Array.from({ length: 200 }, () => patient.goOn(1)).filter((sketch) => sketch !== undefined)
    expect(answers).toHaveLength(MAX_REQUESTS)
    const greedy = new Reconciliation([], 1)
    expect([greedy.goOn(1e9)?.symbols.length, greedy.goOn(1)]).toEqual([MAX_SYMBOLS * SYMBOL_BYTES, undefined])
  })

  it('[ME7] whoever asks for few symbols at a time costs no more passes over the set than the size of the answer doubles', () => {
    const [keys] = sets(3, { common: 300, theirs: 0, ours: 0 })
    let passes = 0
    const counted: Iterable<KeyHalves> = {
      [Symbol.iterator]: () => {
        passes += 1
        return keys[Symbol.iterator]()
      },
    }
    const slowly = new SymbolSequence(counted, 7)
    const one = Array.from({ length: 1_000 }, (_, at) => slowly.slice(at, 1).check[0])
    expect(passes).toBeLessThanOrEqual(11)
    expect(one).toEqual([...new SymbolSequence(keys, 7).slice(0, 1_000).check])
  })

  it('[ME7] symbols that nobody has asked for are not read, nor those that come one by one for ever', () => {
    const frame = (from: number, count: number) => ({
      salt: 1,
      from,
      symbols: new Uint8Array(count * SYMBOL_BYTES).fill(9),
      pulls: new Uint8Array(0),
      ...WHOLE,
    })
    expect(new Reconciliation([], 1).take(frame(0, MAX_SYMBOLS)).kind).toBe('given-up')
    const receiver = new Reconciliation([], 1)
    expect(receiver.take(frame(0, 3)).kind).toBe('more')
    expect(receiver.take(frame(3, MAX_SYMBOLS - 3)).kind).toBe('given-up')
    const patient = new Reconciliation([], 1)
    const taken = Array.from({ length: 200 }, (_, at) => patient.take(frame(at, 1)).kind)
    expect(taken.filter((kind) => kind === 'more')).toHaveLength(MAX_REQUESTS)
  })

  it('[ME7] symbols out of their order are given up on', () => {
    const receiver = new Reconciliation([], 1)
    expect(receiver.take({ salt: 1, from: 3, symbols: new Uint8Array(SYMBOL_BYTES), pulls: new Uint8Array(0), ...WHOLE }).kind).toBe(
      'given-up',
    )
  })
})
