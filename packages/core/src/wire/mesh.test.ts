import { hex } from '@scure/base'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeMeshControl, encodeMeshControl, MAX_CURES_IN_FRAME, MAX_EXPERIENCE, type MeshControlFields, SYMBOL_BYTES } from './mesh.ts'

const SILENCE: MeshControlFields = {
  addresses: [],
  gained: [],
  lost: [],
  offered: [],
  cures: [],
  prospects: [],
  partials: [],
  sketch: undefined,
  more: 0,
  wanted: [],
  experience: [],
  about: 0,
  listed: 0,
  sum: 0,
}

const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const keys = fc.array(bytes(8).map(hex.encode), { maxLength: 5 })
const anyControl = fc.record({
  addresses: fc.array(uint32, { maxLength: 5 }),
  gained: keys,
  lost: keys,
  offered: keys,
  wanted: keys,
  cures: fc.array(fc.record({ key: bytes(16), expiryHour: uint32 }), { maxLength: 5 }),
  prospects: fc.array(fc.record({ address: uint32, value: uint32 }), { maxLength: 5 }),
  partials: fc.array(fc.record({ key: bytes(8).map(hex.encode), bytes: uint32 }), { maxLength: 5 }),
  experience: fc.array(uint32, { maxLength: 5 }),
  more: uint32,
  about: uint32,
  listed: uint32,
  sum: uint32,
  sketch: fc.option(
    fc.record({
      salt: uint32,
      from: fc.nat(4_096),
      symbols: bytes(2 * SYMBOL_BYTES),
      pulls: fc.oneof(bytes(0), bytes(32)),
      depth: fc.integer({ min: 1, max: 8 }),
      share: fc.nat(3),
    }),
    { nil: undefined },
  ),
})

const refused = expect.objectContaining({ code: 'BAD_FRAME' })

describe('mesh control frames', () => {
  it('[ME4] every frame comes back as it was', () => {
    fc.assert(fc.property(anyControl, (control) => void expect(decodeMeshControl(encodeMeshControl(control))).toEqual(control)))
  })

  it('[ME4] has these bytes', () => {
    const frame = encodeMeshControl({ ...SILENCE, addresses: [0x01020304], offered: ['00112233445566aa'], more: 5 })
    // 1: addresses, 4 bytes · 7: offered, 8 bytes · 9: more
    expect(hex.encode(frame)).toBe('0a0401020304' + '3a0800112233445566aa' + '4805')
  })

  it('[ME4] numbers come as one list or one by one, and a field of another type is passed over', () => {
    for (const digits of ['5a020501', '58055801', '5805' + '5a0101', '4a0101' + '5a020501'])
      expect(decodeMeshControl(hex.decode(digits))).toEqual({ ...SILENCE, experience: [5, 1] })
  })

  it.each([
    ['a key of 7 bytes', '12070011223344556'.padEnd(18, '0')],
    ['a proof of 15 bytes', `1a110a0f${'00'.repeat(15)}`],
    ['a symbol of 12 bytes', `420e1a0c${'00'.repeat(12)}`],
    ['counters that are no 32', `4204220200${'00'}`],
    ['addresses of 3 bytes', '0a03010203'],
    ['a share that is none', '42022809'],
    ['a share of the whole', '42023001'],
  ])('[ME4] refuses %s', (_name, digits) => {
    expect(() => decodeMeshControl(hex.decode(digits))).toThrow(refused)
  })

  it('[ME4] refuses more than the limits', () => {
    const cures = Array.from({ length: MAX_CURES_IN_FRAME + 1 }, () => ({ key: new Uint8Array(16), expiryHour: 1 }))
    const experience = Array.from({ length: MAX_EXPERIENCE + 1 }, () => 1)
    for (const said of [{ cures }, { experience }]) {
      expect(() => decodeMeshControl(encodeMeshControl({ ...SILENCE, ...said }))).toThrow(refused)
    }
  })
})
