import { randomBytes } from 'node:crypto'
import { noblePrimitives } from '@skein/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChunkBuffers } from '../files/chunk-buffers.ts'
import { largeAesGcm } from './large-aes-gcm.ts'

const buffers = new ChunkBuffers()
const large = largeAesGcm((length) => buffers.take(length))
const [key, nonce] = [randomBytes(32), randomBytes(12)]
const lengths = fc.oneof(fc.nat(40), fc.constantFrom(65_535, 65_536, 65_537, 131_072, 200_001))

describe('AES-256-GCM for chunks', () => {
  it('[FI9] gives the same bytes as the portable one, and opens them again', () => {
    const property = fc.property(lengths, fc.uint8Array({ maxLength: 20 }), (length, associated) => {
      const plain = new Uint8Array(randomBytes(length))
      const sealed = large.aesGcmSeal(key, nonce, plain, associated)
      expect(Buffer.compare(sealed, noblePrimitives.aesGcmSeal(key, nonce, plain, associated))).toBe(0)
      expect(Buffer.compare(large.aesGcmOpen(key, nonce, sealed, associated) ?? new Uint8Array(1), plain)).toBe(0)
      buffers.give(sealed)
    })
    fc.assert(property, { numRuns: 20 })
  })

  it('[FI9] opens nothing in which a bit was changed, nor what is too short', () => {
    const sealed = large.aesGcmSeal(key, nonce, randomBytes(100_000), new Uint8Array())
    for (const at of [0, 65_536, 99_999, 100_015]) {
      const broken = Uint8Array.from(sealed)
      broken[at] = (broken[at] ?? 0) ^ 1
      expect(large.aesGcmOpen(key, nonce, broken, new Uint8Array())).toBeNull()
    }
    expect(large.aesGcmOpen(key, nonce, sealed.subarray(0, 15), new Uint8Array())).toBeNull()
  })
})

describe('memory for chunks', () => {
  it('is used again, and never by two', () => {
    const own = new ChunkBuffers()
    const [first, second] = [own.take(1_000), own.take(1_000)]
    expect(first.buffer).not.toBe(second.buffer)
    own.give(first)
    own.give(first.subarray(1))
    expect(own.take(1_000).buffer).toBe(first.buffer)
    expect(own.take(1_000).buffer).not.toBe(first.buffer)
  })

  it('goes back to the system where it is too much, and not when it has moved to another thread', () => {
    const own = new ChunkBuffers()
    const many = Array.from({ length: 20 }, () => own.take(1_048_576))
    for (const each of many) own.give(each)
    expect(many.filter(({ length }) => length === 0)).toHaveLength(8)
    const moved = own.take(500)
    structuredClone(moved, { transfer: [moved.buffer] })
    own.give(moved)
    expect(own.take(500)).toHaveLength(500)
  })
})
