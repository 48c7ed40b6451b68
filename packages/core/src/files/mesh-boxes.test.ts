import { noblePrimitives } from '../e2ee/primitives.ts'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../testing/seeded-random.ts'
import { MAX_SLICE_BYTES } from '../wire/mesh-cargo.ts'
import { openBox, readBox, sealBox } from './mesh-boxes.ts'

const random = seededRandom(1)
const lane = { name: random.bytes(16), key: random.bytes(32) }

function boxOf(length: number): Uint8Array {
  const cargo = {
    kind: 'slice',
    part: 'content',
    salt: new Uint8Array(32),
    index: 7,
    offset: 0,
    bytes: new Uint8Array(length).fill(1),
  } as const
  return sealBox(noblePrimitives, lane, { cargo, random }).sealed
}

/** Sizes that differ by what lengths of lengths take are one. */
function distinct(sizes: readonly number[]): number[] {
  return sizes.toSorted((a, b) => a - b).filter((size, at, all) => at === 0 || size - (all[at - 1] ?? 0) > 8)
}

describe('slices of files on the mesh', () => {
  it('[ME27] have a few sizes, whatever their length', () => {
    const lengths = [
      1,
      2,
      100,
      255,
      256,
      257,
      1_000,
      1_023,
      1_025,
      5_000,
      5_100,
      60_001,
      64_999,
      200_000,
      229_000,
      230_000,
      250_000,
      MAX_SLICE_BYTES,
    ]
    const sizes = lengths.map((length) => boxOf(length).length)
    expect(distinct(sizes)).toHaveLength(8)
    for (const [at, length] of lengths.entries()) {
      expect(sizes[at]).toBeGreaterThan(length)
      expect(sizes[at]).toBeLessThan(1.25 * length + 512)
    }
    const [least = 0, most = 0] = [boxOf(230_000).length, boxOf(MAX_SLICE_BYTES).length]
    expect(Math.abs(most - least)).toBeLessThan(8)
  })

  it('[ME27] are opened without what they were padded with', () => {
    for (const length of [1, 300, 100_000]) {
      const box = readBox(boxOf(length))
      const cargo = box === undefined ? undefined : openBox(noblePrimitives, lane, box)?.cargo
      expect(cargo?.kind === 'slice' ? cargo.bytes.length : undefined).toBe(length)
      expect(cargo).not.toHaveProperty('padding')
    }
  })
})
