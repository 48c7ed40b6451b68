import { deflateSync } from 'fflate'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeEnd } from '../testing/ends.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import { decodeEnvelope, encodeEnvelope, encodeEnvelopeContent, encodePayload } from '../wire/sealed.ts'
import { fflateCompression as compression } from './compression.ts'
import { deliveryTag, fetchSeed, TAG_DAYS_AHEAD, tagOfFetchKey, tagsAhead } from './delivery-tags.ts'
import { openEnvelope, PADDED_SIZES, padContent, sealEnvelope } from './envelope.ts'
import { MAX_EXPANDED_BYTES, MAX_RATIO, packPayload, unpackPayload } from './payload.ts'
import { KEEP_AFTER_SUCCESSOR_MS, ROTATE_AFTER_MS, rotate } from './prekeys.ts'
import { noblePrimitives as primitives } from './primitives.ts'

const code = (wanted: string) => expect.objectContaining({ code: wanted })
const random = seededRandom(1)
const bo = makeEnd(random)
const HOUR = 3_600_000
const now = 500_000 * HOUR
const address = { deliveryTag: random.bytes(16), expiryHour: 500_010, prekeyId: bo.prekey.id, prekey: bo.bundle.signedPrekey }
const content = { message: random.bytes(300), sender: random.bytes(32) }
const secretOf = (id: number): Uint8Array | undefined => (id === bo.prekey.id ? bo.prekey.secret : undefined)

describe('sealed envelopes', () => {
  it('[EE1] only the holder of the prekey opens it, and finds the sender inside', async () => {
    const sealed = await sealEnvelope(primitives, address, content)
    expect(await openEnvelope(primitives, sealed, { secretOf, now })).toEqual(content)
    const other = makeEnd(random).prekey.secret
    await expect(openEnvelope(primitives, sealed, { secretOf: () => other, now })).rejects.toMatchObject({ code: 'SEAL_BROKEN' })
    await expect(openEnvelope(primitives, sealed, { secretOf: () => undefined, now })).rejects.toMatchObject({ code: 'PREKEY_UNKNOWN' })
    await expect(openEnvelope(primitives, sealed, { secretOf, now: now + 11 * HOUR })).rejects.toMatchObject({ code: 'ENVELOPE_EXPIRED' })
  })

  it('[EE2] tag, expiry and prekey id cannot be exchanged', async () => {
    const envelope = decodeEnvelope(await sealEnvelope(primitives, address, content))
    for (const change of [{ deliveryTag: random.bytes(16) }, { expiryHour: 500_011 }, { prekeyId: 8 }]) {
      const changed = encodeEnvelope({ ...envelope, ...change })
      await expect(openEnvelope(primitives, changed, { secretOf: () => bo.prekey.secret, now })).rejects.toMatchObject({
        code: 'SEAL_BROKEN',
      })
    }
  })

  it('[EE4] every content fills one of seven sizes exactly, whatever its length', () => {
    for (let length = 0; length < 65_200; length += length < 4_200 ? 1 : 7) {
      const padded = padContent({ message: new Uint8Array(length), sender: new Uint8Array() })
      expect(PADDED_SIZES).toContain(padded.length)
      expect(padded.length).toBeLessThan(Math.max(512, 4.2 * (length + 60)))
    }
    expect(() => padContent({ message: new Uint8Array(65_280), sender: new Uint8Array() })).toThrow(code('MESSAGE_TOO_LARGE'))
  })

  it('[EE4] what was padded opens as it was, also if it ends with what looks like padding', async () => {
    for (const length of [0, 1, 240, 300, 48_889, 65_146]) {
      for (const end of [0, 0x80]) {
        const message = random.bytes(length).fill(end, Math.max(0, length - 3))
        for (const sender of [new Uint8Array(), random.bytes(32)]) {
          const sealed = await sealEnvelope(primitives, address, { message, sender })
          expect(await openEnvelope(primitives, sealed, { secretOf, now })).toEqual({ message, sender })
        }
      }
    }
  })

  it('[EE4] a content without padding, or with other padding, is refused', async () => {
    const bare = encodeEnvelopeContent(content)
    const { deliveryTag, expiryHour, prekeyId, prekey } = address
    const associated = Uint8Array.of(...deliveryTag, 0, 0x07, 0xa1, 0x2a, prekeyId)
    for (const plaintext of [
      new Uint8Array(),
      new Uint8Array(256),
      bare,
      Uint8Array.of(...bare, 0x80, 1),
      Uint8Array.of(...bare, 0x80, 0x80),
    ]) {
      const sealed = await primitives.hpkeSeal(prekey, plaintext, { info: new TextEncoder().encode('skein envelope v1'), associated })
      const envelope = encodeEnvelope({ deliveryTag, expiryHour, prekeyId, sealed })
      await expect(openEnvelope(primitives, envelope, { secretOf, now })).rejects.toMatchObject({ code: 'BAD_FRAME' })
    }
  })

  it('[EA2] random, truncated and changed envelopes are refused with a code', async () => {
    const sealed = await sealEnvelope(primitives, address, content)
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 600 }),
          fc.nat(sealed.length - 1).map((end) => sealed.slice(0, end)),
        ),
        async (bytes) => {
          await expect(openEnvelope(primitives, bytes, { secretOf, now })).rejects.toMatchObject({ name: 'SkeinError' })
        },
      ),
      { numRuns: 100 },
    )
  })
})

describe('payloads', () => {
  it('[EP20] text comes back as it was, long repetitive text shorter on the way', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
        expect(unpackPayload(compression, packPayload(compression, bytes))).toEqual(bytes)
      }),
    )
    const prose = new TextEncoder().encode('The relay carries ciphertext where no hole can be punched. '.repeat(50))
    expect(packPayload(compression, prose).length).toBeLessThan(prose.length / 10)
    const zeros = new Uint8Array(60_000)
    expect(unpackPayload(compression, packPayload(compression, zeros))).toEqual(zeros)
  })

  it('[EP21] [EP22] a bomb is refused before it is unpacked, by size and by ratio', () => {
    const bomb = (length: number) => encodePayload({ kind: 'deflated', bytes: deflateSync(new Uint8Array(length)) })
    expect(() => unpackPayload(compression, bomb(60_000))).toThrow(code('EXPANDS_TOO_FAR'))
    expect(() => unpackPayload(compression, bomb(50_000_000))).toThrow(code('EXPANDS_TOO_FAR'))
    const noise = random.bytes(MAX_EXPANDED_BYTES / MAX_RATIO)
    const large = new Uint8Array(MAX_EXPANDED_BYTES + 1)
    for (let at = 0; at < large.length; at += 128) large.set(noise.subarray(at % 8_192, (at % 8_192) + 100).slice(0, large.length - at), at)
    const packed = deflateSync(large)
    if (packed.length < 60_000)
      expect(() => unpackPayload(compression, encodePayload({ kind: 'deflated', bytes: packed }))).toThrow(code('EXPANDS_TOO_FAR'))
    expect(() => unpackPayload(compression, encodePayload({ kind: 'deflated', bytes: Uint8Array.of(0xff, 1, 2) }))).toThrow(
      code('BAD_FRAME'),
    )
  })
})

describe('prekeys', () => {
  it('[EB6] [EB7] one a week; the private half dies 40 days after its successor was published; ids never collide', () => {
    let prekeys: ReturnType<typeof rotate>['keep'] = []
    const seen = new Map<number, number>()
    const day = ROTATE_AFTER_MS / 7
    for (let at = 0; at < 300; at += 1) {
      const rotation = rotate(random, prekeys, at * day)
      prekeys = rotation.keep
      if (rotation.put.length > 0) seen.set(rotation.current.createdAt, rotation.current.id)
      expect(new Set(prekeys.map(({ id }) => id)).size).toBe(prekeys.length)
      expect(prekeys.filter(({ supersededAt }) => supersededAt === null)).toEqual([rotation.current])
      for (const { supersededAt } of prekeys) expect(at * day - (supersededAt ?? at * day)).toBeLessThan(KEEP_AFTER_SUCCESSOR_MS)
    }
    expect(seen.size).toBe(Math.ceil(300 / 7))
    expect(prekeys.length).toBeGreaterThanOrEqual(6)
  })

  it('[EB6] a clock set back a year does not freeze a prekey', () => {
    const first = rotate(random, [], 400 * ROTATE_AFTER_MS)
    expect(rotate(random, first.keep, 340 * ROTATE_AFTER_MS).put.length).toBe(2)
  })
})

describe('delivery tags', () => {
  it('[ET1] [ET2] one per sender and day; whoever sees them cannot tell that they belong together', () => {
    const [secret, ana, cy] = [random.bytes(32), random.bytes(32), random.bytes(32)]
    const tags = tagsAhead(primitives, secret, { sender: ana, day: 20_000 })
    expect(tags).toHaveLength(TAG_DAYS_AHEAD)
    expect(new Set([...tags, deliveryTag(primitives, secret, { sender: cy, day: 20_000 })].map(String)).size).toBe(TAG_DAYS_AHEAD + 1)
    const fetchKey = primitives.ed25519PublicKey(fetchSeed(primitives, secret, { sender: ana, day: 20_003 }))
    expect(tags[3]).toEqual(tagOfFetchKey(primitives, fetchKey))
  })
})
