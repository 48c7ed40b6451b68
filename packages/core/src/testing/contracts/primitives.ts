/** What every backend of the primitives computes: published vectors, and the same as the reference on random input. */
import { hex } from '@scure/base'
import { describe, expect, it } from 'vitest'
import type { Primitives } from '../../ports/index.ts'
import { seededRandom } from '../seeded-random.ts'

type Backend = Primitives
const bytes = hex.decode

/** Encodings of points of small order, and of such points with y ≥ p; OpenSSL takes them as keys. */
const WEAK_ED25519_KEYS = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000080',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
]

/** The seven u-coordinates that give an all-zero secret (RFC 7748, section 6.1), two of them not reduced. */
const WEAK_X25519_KEYS = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]

/** Order of the group (RFC 8032, section 5.1), little-endian. */
const GROUP_ORDER = bytes('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')

/** Made with a known secret scalar: T = (0, −1), a point of order two, is added to the key, to R, or to both. */
const MIXED_ORDER = [
  {
    // A + T, k even
    key: 'd600527f9723f2166ca2c99c90c52e4a21921cbec4edc771bac4fa0d5b3e2c24',
    message: '00',
    signature:
      '7db0dc9222f3c183457ddde4c708de8e5ea6bf3d5c4404cca14b32729a05c32ac9339381682bf7c738726667ec41f4ec225dbdb8392b3843dd0d44f58b9b8e0f',
  },
  {
    // A + T, k odd
    key: 'd600527f9723f2166ca2c99c90c52e4a21921cbec4edc771bac4fa0d5b3e2c24',
    message: '01',
    signature:
      '7db0dc9222f3c183457ddde4c708de8e5ea6bf3d5c4404cca14b32729a05c32a91d680fa0e14b2ce0c6506acb46ea52ec9c689bab437c0d09499921cb7a1730e',
  },
  {
    // R + T
    key: '17ffad8068dc0de9935d36636f3ad1b5de6de3413b12388e453b05f2a4c1d3db',
    message: '00',
    signature:
      '704f236ddd0c3e7cba82221b38f72171a15940c2a3bbfb335eb4cd8d65fa3cd52262d014b0e380c9d63222a29ada6bea5ccf777634eef7b9e4507170d1c1f101',
  },
  {
    // A + T and R + T, k odd
    key: 'd600527f9723f2166ca2c99c90c52e4a21921cbec4edc771bac4fa0d5b3e2c24',
    message: '01',
    signature:
      '704f236ddd0c3e7cba82221b38f72171a15940c2a3bbfb335eb4cd8d65fa3cd5acce57b5cb536d684721068a88925a7bfd07d50cfb446023dcbfa5c378a0870c',
  },
]

function plusOrder(scalar: Uint8Array): Uint8Array {
  const sum = new Uint8Array(32)
  let carry = 0
  for (let at = 0; at < 32; at += 1) {
    carry += (scalar[at] ?? 0) + (GROUP_ORDER[at] ?? 0)
    sum[at] = carry & 0xff
    carry >>= 8
  }
  return sum
}

function signatures(backend: Backend): void {
  it('[EP1] Ed25519 as in RFC 8032, section 7.1, test 2', () => {
    const seed = bytes('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb')
    const key = bytes('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c')
    const signature = bytes(
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    )
    expect(backend.ed25519PublicKey(seed)).toEqual(key)
    expect(backend.ed25519Sign(Uint8Array.of(0x72), seed)).toEqual(signature)
    expect(backend.ed25519Verify(signature, Uint8Array.of(0x72), key)).toBe(true)
    expect(backend.ed25519Verify(signature, Uint8Array.of(0x73), key)).toBe(false)
    expect(backend.ed25519Verify(signature.slice(1), Uint8Array.of(0x72), key)).toBe(false)
  })

  it('[EP5] Ed25519 refuses an unreduced S, and keys of small order whatever they seem to sign', () => {
    const seed = new Uint8Array(32).fill(7)
    const [message, key] = [Uint8Array.of(1), backend.ed25519PublicKey(seed)]
    const signature = backend.ed25519Sign(message, seed)
    expect(backend.ed25519Verify(Uint8Array.of(...signature.slice(0, 32), ...plusOrder(signature.slice(32))), message, key)).toBe(false)
    const empty = Uint8Array.of(1, ...new Uint8Array(63))
    // R the neutral element and S zero: valid for one message in eight or in all, if the key were taken.
    for (const weak of WEAK_ED25519_KEYS)
      for (let text = 0; text < 16; text += 1) expect(backend.ed25519Verify(empty, Uint8Array.of(text), bytes(weak))).toBe(false)
    expect(backend.ed25519Verify(signature, message, key.slice(1))).toBe(false)
  })

  it('[EP5] Ed25519 refuses keys and points that are not of prime order, with the cofactor or without', () => {
    for (const { key, message, signature } of MIXED_ORDER)
      expect(backend.ed25519Verify(bytes(signature), bytes(message), bytes(key))).toBe(false)
  })
}

function agreements(backend: Backend): void {
  const secret = bytes('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb')
  const other = bytes('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a')

  it('[EP2] X25519 as in RFC 7748, section 6.1', () => {
    expect(hex.encode(backend.x25519PublicKey(secret))).toBe('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f')
    expect(hex.encode(backend.x25519(secret, other) ?? secret)).toBe('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742')
  })

  it('[EP6] X25519 gives nothing for a key of low order or of another length, and ignores the topmost bit', () => {
    for (const weak of WEAK_X25519_KEYS) expect(backend.x25519(secret, bytes(weak))).toBeNull()
    expect(backend.x25519(secret, other.slice(1))).toBeNull()
    expect(backend.x25519(secret, new Uint8Array(0))).toBeNull()
    const high = other.with(31, (other[31] ?? 0) | 0x80)
    expect(backend.x25519(secret, high)).toEqual(backend.x25519(secret, other))
  })
}

function hashes(backend: Backend, reference: Backend): void {
  it('[EP3] HKDF-SHA-256 as in RFC 5869, test case 1', () => {
    const okm = backend.hkdfSha256(new Uint8Array(22).fill(0x0b), bytes('000102030405060708090a0b0c'), bytes('f0f1f2f3f4f5f6f7f8f9'), 42)
    expect(hex.encode(okm)).toBe('3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865')
  })

  it('[EP3] HKDF-SHA-256 of no bytes, of most bytes, and with an info longer than 1,024 bytes', () => {
    const [key, salt] = [new Uint8Array(32).fill(1), new Uint8Array(0)]
    expect(backend.hkdfSha256(key, salt, salt, 0)).toHaveLength(0)
    for (const info of [salt, new Uint8Array(1_024), new Uint8Array(1_025)])
      expect(backend.hkdfSha256(key, salt, info, 8_160)).toEqual(reference.hkdfSha256(key, salt, info, 8_160))
  })

  it('[EP7] SHA-512 as in FIPS 180-4, example "abc"', () => {
    expect(hex.encode(backend.sha512(bytes('616263')))).toBe(
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    )
  })

  it('[EP8] Argon2id as in RFC 9106 without secret and data; the same for several lanes', async () => {
    const [password, salt] = [new TextEncoder().encode('password'), new TextEncoder().encode('somesalt')]
    const one = await backend.argon2id(password, salt, { memoryKib: 256, passes: 2, lanes: 1, bytes: 32 })
    expect(hex.encode(one)).toBe('9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe')
    const cost = { memoryKib: 64, passes: 1, lanes: 4, bytes: 64 }
    expect(await backend.argon2id(password, salt, cost)).toEqual(await reference.argon2id(password, salt, cost))
  })
}

function encryption(backend: Backend): void {
  it('[EP9] AES-256-GCM as in the GCM specification, test case 16; opens nothing that was changed', () => {
    const key = bytes('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308')
    const [nonce, associated] = [bytes('cafebabefacedbaddecaf888'), bytes('feedfacedeadbeeffeedfacedeadbeefabaddad2')]
    const text = bytes(
      'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
    )
    const sealed = backend.aesGcmSeal(key, nonce, text, associated)
    expect(hex.encode(sealed)).toBe(
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662' +
        '76fc6ece0f4e1768cddf8853bb2d551b',
    )
    expect(backend.aesGcmOpen(key, nonce, sealed, associated)).toEqual(text)
    expect(backend.aesGcmOpen(key, nonce, sealed.with(0, 0), associated)).toBeNull()
    expect(backend.aesGcmOpen(key, nonce, sealed, nonce)).toBeNull()
    expect(backend.aesGcmOpen(key, nonce, sealed.slice(0, 15), associated)).toBeNull()
  })
}

function encapsulation(backend: Backend, reference: Backend): void {
  const random = seededRandom(10)
  const [seed, coins] = [random.bytes(64), random.bytes(32)]
  const key = reference.mlKemPublicKey(seed)

  it('[EP10] ML-KEM-768: the same keys, ciphertexts and secrets as the reference', () => {
    expect(backend.mlKemPublicKey(seed)).toEqual(key)
    const mine = backend.mlKemEncapsulate(key, coins)
    expect(mine).toEqual(reference.mlKemEncapsulate(key, coins))
    expect(backend.mlKemDecapsulate(mine?.ciphertext ?? key, seed)).toEqual(mine?.shared)
  })

  it('[EP10] ML-KEM-768: a changed ciphertext gives the same other secret; one of another length, or a key beyond the modulus, nothing', () => {
    const { ciphertext, shared } = reference.mlKemEncapsulate(key, coins) ?? { ciphertext: key, shared: key }
    const changed = ciphertext.with(3, (ciphertext[3] ?? 0) ^ 1)
    expect(backend.mlKemDecapsulate(changed, seed)).toEqual(reference.mlKemDecapsulate(changed, seed))
    expect(backend.mlKemDecapsulate(changed, seed)).not.toEqual(shared)
    expect(backend.mlKemDecapsulate(ciphertext.slice(1), seed)).toBeNull()
    expect(backend.mlKemEncapsulate(key.with(0, 0xff).with(1, 0xff), coins)).toBeNull()
    expect(backend.mlKemEncapsulate(key.slice(1), coins)).toBeNull()
  })
}

function envelopes(backend: Backend, reference: Backend): void {
  const context = { info: bytes('4f6465206f6e2061204772656369616e2055726e'), associated: bytes('436f756e742d30') }
  const secret = bytes('8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb')
  const sealed = bytes(
    '1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28',
  )
  const text = bytes('4265617574792069732074727574682c20747275746820626561757479')

  it('[EP11] HPKE opens as in RFC 9180, appendix A.2.1, and what the reference sealed', async () => {
    expect(await backend.hpkeOpen(secret, sealed, context)).toEqual(text)
    const key = backend.x25519PublicKey(secret)
    expect(await backend.hpkeOpen(secret, await reference.hpkeSeal(key, text, context), context)).toEqual(text)
    expect(await reference.hpkeOpen(secret, await backend.hpkeSeal(key, text, context), context)).toEqual(text)
  })

  it('[EP11] HPKE opens nothing else, never seals twice the same, and never to a key of low order', async () => {
    expect(await backend.hpkeOpen(secret.with(1, 1), sealed, context)).toBeNull()
    expect(await backend.hpkeOpen(secret, sealed, { ...context, info: text })).toBeNull()
    expect(await backend.hpkeOpen(secret, sealed, { ...context, associated: text })).toBeNull()
    for (const length of [0, 31, 32, 47, sealed.length - 1])
      expect(await backend.hpkeOpen(secret, sealed.slice(0, length), context)).toBeNull()
    expect(await backend.hpkeOpen(secret, Uint8Array.of(...new Uint8Array(32), ...sealed.slice(32)), context)).toBeNull()
    const key = backend.x25519PublicKey(secret)
    expect(await backend.hpkeSeal(key, text, context)).not.toEqual(await backend.hpkeSeal(key, text, context))
    await expect(backend.hpkeSeal(new Uint8Array(32), text, context)).rejects.toThrow()
  })
}

function equality(backend: Backend, reference: Backend): void {
  it('[EP4] computes what the reference computes, and opens only what was sealed', () => {
    const random = seededRandom(4)
    for (let round = 0; round < 20; round += 1) {
      const [key, nonce, text, associated] = [random.bytes(32), random.bytes(12), random.bytes(round * 7), random.bytes(round)]
      const sealed = backend.aeadSeal(key, nonce, text, associated)
      expect(sealed).toEqual(reference.aeadSeal(key, nonce, text, associated))
      expect(backend.aeadOpen(key, nonce, sealed, associated)).toEqual(text)
      expect(backend.aeadOpen(key, nonce, sealed, Uint8Array.of(...associated, 1))).toBeNull()
      expect(backend.aeadOpen(key, nonce, sealed.slice(0, round % 16), associated)).toBeNull()
      expect(backend.aesGcmSeal(key, nonce, text, associated)).toEqual(reference.aesGcmSeal(key, nonce, text, associated))
      expect(backend.sha256(text)).toEqual(reference.sha256(text))
      expect(backend.sha512(text)).toEqual(reference.sha512(text))
      const stream = backend.sha256Stream()
      for (const part of [text.subarray(0, 5), text.subarray(5, 5), text.subarray(5)]) stream.update(part)
      expect(stream.digest()).toEqual(reference.sha256(text))
      expect(backend.hmacSha256(key, text)).toEqual(reference.hmacSha256(key, text))
      expect(backend.ed25519Sign(text, key)).toEqual(reference.ed25519Sign(text, key))
      expect(backend.x25519PublicKey(key)).toEqual(reference.x25519PublicKey(key))
      const peer = backend.x25519PublicKey(backend.sha256(key))
      expect(backend.x25519(key, peer)).toEqual(reference.x25519(key, peer))
    }
  })
}

export function primitivesContract(name: string, primitives: Primitives, reference: Primitives): void {
  describe(`primitives: ${name}`, () => {
    signatures(primitives)
    agreements(primitives)
    hashes(primitives, reference)
    encryption(primitives)
    encapsulation(primitives, reference)
    envelopes(primitives, reference)
    equality(primitives, reference)
  })
}
