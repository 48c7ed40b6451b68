/** What every backend of the primitives computes: published vectors, and the same as the reference on random input. */
import { hex } from '@scure/base'
import { describe, expect, it } from 'vitest'
import type { Primitives } from '../../ports/index.ts'
import { seededRandom } from '../seeded-random.ts'

export function primitivesContract(name: string, primitives: Primitives, reference: Primitives): void {
  describe(`primitives: ${name}`, () => {
    it('[EP1] Ed25519 as in RFC 8032, section 7.1, test 2', () => {
      const seed = hex.decode('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb')
      const key = hex.decode('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c')
      const signature = hex.decode(
        '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
      )
      expect(primitives.ed25519PublicKey(seed)).toEqual(key)
      expect(primitives.ed25519Sign(Uint8Array.of(0x72), seed)).toEqual(signature)
      expect(primitives.ed25519Verify(signature, Uint8Array.of(0x72), key)).toBe(true)
      expect(primitives.ed25519Verify(signature, Uint8Array.of(0x73), key)).toBe(false)
      expect(primitives.ed25519Verify(signature.slice(1), Uint8Array.of(0x72), key)).toBe(false)
    })

    it('[EP2] X25519 as in RFC 7748, section 6.1', () => {
      const secret = hex.decode('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb')
      expect(hex.encode(primitives.x25519PublicKey(secret))).toBe('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f')
    })

    it('[EP3] HKDF-SHA-256 as in RFC 5869, test case 1', () => {
      const okm = primitives.hkdfSha256(
        new Uint8Array(22).fill(0x0b),
        hex.decode('000102030405060708090a0b0c'),
        hex.decode('f0f1f2f3f4f5f6f7f8f9'),
        42,
      )
      expect(hex.encode(okm)).toBe('3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865')
    })

    it('[EP4] computes what the reference computes, and opens only what was sealed', () => {
      const random = seededRandom(4)
      for (let round = 0; round < 20; round += 1) {
        const [key, nonce, text, associated] = [random.bytes(32), random.bytes(12), random.bytes(round * 7), random.bytes(round)]
        const sealed = primitives.aeadSeal(key, nonce, text, associated)
        expect(sealed).toEqual(reference.aeadSeal(key, nonce, text, associated))
        expect(primitives.aeadOpen(key, nonce, sealed, associated)).toEqual(text)
        expect(primitives.aeadOpen(key, nonce, sealed, Uint8Array.of(...associated, 1))).toBeNull()
        expect(primitives.aeadOpen(key, nonce, sealed.slice(0, round % 16), associated)).toBeNull()
        expect(primitives.sha256(text)).toEqual(reference.sha256(text))
        expect(primitives.hmacSha256(key, text)).toEqual(reference.hmacSha256(key, text))
        expect(primitives.ed25519Sign(text, key)).toEqual(reference.ed25519Sign(text, key))
        expect(primitives.x25519PublicKey(key)).toEqual(reference.x25519PublicKey(key))
      }
    })
  })
}
