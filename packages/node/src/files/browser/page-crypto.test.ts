import { noblePrimitives } from '@skein/core'
import { leafHash } from '@skein/core/files'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { chunkCrypto } from './page-crypto.ts'

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })

it('[FI9] [FI10] the browser’s own cryptography and ours seal, open and hash alike', async () => {
  const theirs = chunkCrypto(globalThis.crypto.subtle)
  const property = fc.asyncProperty(bytes(32), bytes(12), fc.uint8Array({ maxLength: 5_000 }), async (key, nonce, chunk) => {
    const none = new Uint8Array()
    const sealed = noblePrimitives.aesGcmSeal(key, nonce, chunk, none)
    expect(await theirs.aesGcmSeal(key, nonce, chunk, none)).toEqual(sealed)
    expect(await theirs.aesGcmOpen(key, nonce, sealed, none)).toEqual(chunk)
    expect(await theirs.leafLater?.(chunk)).toEqual(leafHash(noblePrimitives, chunk))
    const broken = sealed.with(0, (sealed[0] ?? 0) ^ 1)
    expect(await theirs.aesGcmOpen(key, nonce, broken, none)).toBeNull()
    expect(await theirs.aesGcmOpen(key, nonce, sealed.subarray(0, 15), none)).toBeNull()
  })
  await fc.assert(property, { numRuns: 50 })
})

it('on an origin that is not secure, ours does it', () => {
  expect(chunkCrypto(undefined)).toBe(noblePrimitives)
})
