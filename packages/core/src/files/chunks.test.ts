import { hex } from '@scure/base'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { noblePrimitives as primitives } from '../e2ee/primitives.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import { settle, VirtualClock } from '../testing/virtual-clock.ts'
import { chunkLength, chunkSizeFor, ChunkSet, indicesOf, planOf, presentBytes } from './chunk-plan.ts'
import { ContentHash } from './content-hash.ts'
import { SOURCE_RESTS_MS } from './limits.ts'
import { type SharedSource, SourcePool } from './shared-source.ts'
import { Credit, CreditGiver, windowFor } from './credit.ts'
import { leafHash, rootOf } from './hash-tree.ts'
import { deriveStreamKey, openChunk, openRoot, sealChunk, sealRoot } from './stream-seal.ts'

/** Computed by another implementation: OpenSSL's HKDF and AES-256-GCM. */
const KEY = '44f16e58e024d90e5fe51c049c38bf91ca33c47daa5e346c6e778486d3177e69'
const PREFIX = 'fb16fbe9ac976c'
const CHUNK = 'd59aceb20d757ce564f9183ea1a7a046480a6bea7d'
const LAST = '0454b395ad09bea61f4f60635814770812145fcd0d'
const ROOT = '9f2d7766c78b704895e03ea604acd77f37fbfd3bd046606ea439b9fab9771f3797ec05ad3c1733c699129eb2be97f6a9'

const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte)
const sizes = fc.oneof(fc.integer({ min: 0, max: 3_000_000 }), fc.integer({ min: 0, max: 2 ** 40 }))

describe('how content is cut', () => {
  it('[FI8] chunks cover the content once, whatever its size', () => {
    fc.assert(
      fc.property(sizes, (size) => {
        const plan = planOf({ size, chunkSize: chunkSizeFor(size) })
        const last = Math.max(0, plan.count - 1)
        const covered = last * plan.chunkSize + (plan.count === 0 ? 0 : chunkLength(plan, last))
        expect(covered).toBe(size)
        if (plan.count > 0) expect(chunkLength(plan, last)).toBeGreaterThan(0)
      }),
    )
  })

  it('[FI2] [FI8] more than 1 TiB, or chunks of another size, are refused', () => {
    expect(() => planOf({ size: 2 ** 40 + 1, chunkSize: 1_048_576 })).toThrow(expect.objectContaining({ code: 'FILE_TOO_LARGE' }))
    for (const chunkSize of [0, 1, 262_143, 1_048_576])
      expect(() => planOf({ size: 5, chunkSize })).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
    expect(planOf({ size: 2 ** 24, chunkSize: 262_144 }).count).toBe(64)
    expect(planOf({ size: 2 ** 24 + 1, chunkSize: 1_048_576 }).count).toBe(17)
  })

  it('[FI6] what is missing and what is there make up the whole, and is asked for in runs that rise and stay apart', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), fc.array(fc.nat(299)), fc.integer({ min: 1, max: 400 }), (count, there, most) => {
        const set = new ChunkSet(count)
        for (const index of there) set.add(index)
        const runs = set.missing(most)
        const asked = [...indicesOf(runs, { size: 0, chunkSize: 1, count })]
        const missing = Array.from({ length: count }, (_, index) => index).filter((index) => !there.includes(index))
        expect(runs.length).toBeLessThanOrEqual(most)
        expect(asked).toEqual(runs.length < most ? missing : missing.slice(0, asked.length))
        expect(set.isFull).toBe(missing.length === 0)
        expect(set.size).toBe(count - missing.length)
      }),
    )
  })

  it('bytes that are there are counted with the short last chunk', () => {
    const plan = planOf({ size: 600_000, chunkSize: 262_144 })
    const set = new ChunkSet(plan.count)
    set.add(2)
    expect(presentBytes(plan, set)).toBe(600_000 - 2 * 262_144)
    set.add(0)
    set.add(0)
    expect(presentBytes(plan, set)).toBe(600_000 - 262_144)
    expect(presentBytes(planOf({ size: 0, chunkSize: 262_144 }), new ChunkSet(0))).toBe(0)
  })

  it('a run beyond the end is refused', () => {
    expect(() => [...indicesOf([[3, 2]], { size: 0, chunkSize: 1, count: 4 })]).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
  })
})

describe('sealed chunks', () => {
  const stream = deriveStreamKey(primitives, filled(32, 1), { salt: filled(32, 2), part: 'content' })

  it('[FI9] golden bytes: key and prefix of a stream, a chunk, its last form, and a root', () => {
    expect(hex.encode(stream.key)).toBe(KEY)
    expect(hex.encode(stream.prefix)).toBe(PREFIX)
    const bytes = new TextEncoder().encode('skein')
    expect(hex.encode(sealChunk(primitives, stream, { index: 7, last: false, bytes }))).toBe(CHUNK)
    expect(hex.encode(sealChunk(primitives, stream, { index: 7, last: true, bytes }))).toBe(LAST)
    expect(hex.encode(sealRoot(primitives, stream, filled(32, 3)))).toBe(ROOT)
  })

  it('[FI9] open at their own place alone, and not when a bit is other', () => {
    const random = seededRandom(1)
    const other = deriveStreamKey(primitives, filled(32, 1), { salt: filled(32, 2), part: 'list' })
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 2 ** 32 - 2 }), fc.boolean(), (bytes, index, last) => {
        const sealed = sealChunk(primitives, stream, { index, last, bytes })
        expect(openChunk(primitives, stream, { index, last, bytes: sealed })).toEqual(bytes)
        expect(openChunk(primitives, stream, { index: index + 1, last, bytes: sealed })).toBeNull()
        expect(openChunk(primitives, stream, { index, last: !last, bytes: sealed })).toBeNull()
        expect(openChunk(primitives, other, { index, last, bytes: sealed })).toBeNull()
        expect(openRoot(primitives, stream, sealed)).toBeNull()
        const broken = sealed.slice()
        const at = Math.floor(random.uniform() * broken.length)
        broken[at] = (broken[at] ?? 0) ^ 1
        expect(openChunk(primitives, stream, { index, last, bytes: broken })).toBeNull()
      }),
      { numRuns: 30 },
    )
  })
})

describe('the hash tree', () => {
  /** Inputs and roots that are in use for testing logs of certificates. */
  const INPUTS = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map((each) =>
    hex.decode(each),
  )
  const leaves = INPUTS.map((input) => leafHash(primitives, input))

  it('[FI10] has the roots of RFC 9162', () => {
    expect(hex.encode(rootOf(primitives, []))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(hex.encode(rootOf(primitives, leaves.slice(0, 1)))).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d')
    expect(hex.encode(rootOf(primitives, leaves))).toBe('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328')
  })

  it('[FI10] [FI19] comes out the same in whatever order chunks come, as does the hash of the whole', async () => {
    const all = seededRandom(2).bytes(262_144 * 3 + 5)
    const plan = planOf({ size: all.length, chunkSize: 262_144 })
    const chunk = (index: number): Uint8Array => all.subarray(index * plan.chunkSize, index * plan.chunkSize + chunkLength(plan, index))
    const straight = new ContentHash(primitives, plan)
    // Begun all at once, as something that hashes beside may have it.
    await Promise.all(Array.from({ length: plan.count }, (_, index) => straight.add(index, chunk(index))))
    const expected = await straight.finish(() => Promise.reject(new Error('nothing is read again')))
    expect(expected.sha256).toEqual(primitives.sha256(all))
    const mixed = new ContentHash(primitives, plan)
    for (const index of [3, 1, 0]) await mixed.add(index, chunk(index))
    expect(await mixed.finish(async (index) => chunk(index))).toEqual(expected)
    expect(await mixed.finish(() => Promise.reject(new Error('it is known by now')))).toEqual(expected)
  })

  it('[FI11] a chunk that is another than before is refused', async () => {
    const hash = new ContentHash(primitives, planOf({ size: 5, chunkSize: 262_144 }))
    await hash.add(0, filled(5, 1))
    await hash.add(0, filled(5, 1))
    await expect(hash.add(0, filled(5, 2))).rejects.toThrow(expect.objectContaining({ code: 'FILE_CHANGED' }))
  })
})

describe('credit', () => {
  it('[FI12] no more is taken than was granted, and taking waits for more', async () => {
    const credit = new Credit(10)
    expect(await credit.take(4)).toBe(4)
    expect(await credit.take(100)).toBe(6)
    let taken = -1
    const waiting = credit.take(5).then((count) => (taken = count))
    await Promise.resolve()
    expect(taken).toBe(-1)
    credit.grant(12)
    await waiting
    expect(taken).toBe(2)
    credit.close()
    expect(await credit.take(1)).toBe(0)
  })

  it('[FI13] credit for more than a window beyond what was sent is an offence; a window that is asked for is cut', async () => {
    expect(() => new Credit(10).grant(2 ** 40)).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
    const credit = new Credit(Number.MAX_SAFE_INTEGER)
    expect(await credit.take(2 ** 40)).toBe(33_554_432)
  })

  it('[FI12] all that was released is granted in the end, in frames worth sending', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1_000 }), { maxLength: 200 }), (released) => {
        const told: number[] = []
        const giver = new CreditGiver(8_000, (total) => told.push(total))
        for (const bytes of released) giver.release(bytes)
        const sum = released.reduce((all, each) => all + each, 0)
        expect((told.at(-1) ?? 8_000) - 8_000).toBeGreaterThan(sum - 1_000)
        expect(told.length).toBeLessThanOrEqual(sum / 1_000)
        expect(told).toEqual([...told].sort((a, b) => a - b))
      }),
    )
  })

  it('[FI13] the window follows the path within its bounds', () => {
    const least = 4_194_304
    expect(windowFor({ rttMs: null, rate: 1e9, least, most: 33_554_432 })).toBe(least)
    expect(windowFor({ rttMs: 100, rate: 50e6, least, most: 33_554_432 })).toBe(10_000_000)
    expect(windowFor({ rttMs: 1_000, rate: 1e9, least, most: 33_554_432 })).toBe(33_554_432)
    expect(windowFor({ rttMs: 1_000, rate: 1e9, least, most: 3_145_728 })).toBe(3_145_728)
  })
})

describe('sources that are open', () => {
  interface Opened {
    closed: number
    close(): Promise<void>
  }

  function opening(): { readonly made: Opened[]; make(): Promise<SharedSource> } {
    const made: Opened[] = []
    const make = async (): Promise<SharedSource> => {
      const one: Opened = { closed: 0, close: async () => void (one.closed += 1) }
      made.push(one)
      return one as unknown as SharedSource
    }
    return { made, make }
  }

  it('[FI25] the next request finds the source where the last one left it, for half a minute', async () => {
    const clock = new VirtualClock()
    const pool = new SourcePool(clock)
    const { made, make } = opening()
    await pool.use('a', make, async () => undefined)
    await clock.advance(SOURCE_RESTS_MS - 1)
    await pool.use('a', make, async () => undefined)
    await clock.advance(SOURCE_RESTS_MS - 1)
    expect(made.map(({ closed }) => closed)).toEqual([0])
    await clock.advance(1)
    expect(made.map(({ closed }) => closed)).toEqual([1])
    await pool.use('a', make, async () => undefined)
    expect(made).toHaveLength(2)
  })

  it('[FI25] it is closed at once when nobody is to get it, when it failed, and at the end', async () => {
    const pool = new SourcePool(new VirtualClock())
    const { made, make } = opening()
    await pool.use('a', make, async () => undefined)
    await pool.drop('a')
    await expect(pool.use('b', make, () => Promise.reject(new Error('gone')))).rejects.toThrow('gone')
    await pool.use('c', make, async () => undefined)
    pool.stop()
    await settle()
    expect(made.map(({ closed }) => closed)).toEqual([1, 1, 1])
  })
})
