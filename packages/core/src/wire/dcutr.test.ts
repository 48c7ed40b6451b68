import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeDcutr, encodeDcutr, MAX_DCUTR_ADDRESSES, MAX_DCUTR_BYTES } from './dcutr.ts'

const hex = (bytes: Uint8Array): string => Array.from(bytes, (each) => each.toString(16).padStart(2, '0')).join(' ')

describe('coordination by DCUtR', () => {
  it('[PT4] writes the bytes of the specification', () => {
    // /ip4/1.2.3.4/tcp/80
    const address = Uint8Array.of(0x04, 1, 2, 3, 4, 0x06, 0x00, 0x50)
    // field 1 varint 100, field 2 of 8 bytes
    expect(hex(encodeDcutr({ kind: 'connect', addresses: [address] }))).toBe('08 64 12 08 04 01 02 03 04 06 00 50')
    // field 1 varint 300
    expect(hex(encodeDcutr({ kind: 'sync' }))).toBe('08 ac 02')
  })

  it('[PT4] reads what it writes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: MAX_DCUTR_ADDRESSES }), (addresses) => {
        expect(decodeDcutr(encodeDcutr({ kind: 'connect', addresses }))).toEqual({ kind: 'connect', addresses })
      }),
    )
    expect(decodeDcutr(encodeDcutr({ kind: 'sync' }))).toEqual({ kind: 'sync' })
  })

  it('[PT4] takes the first addresses of too many, and no message that is too large', () => {
    const many = Uint8Array.of(0x08, 0x64, ...Array.from({ length: 40 }, () => [0x12, 0x01, 0x04]).flat())
    expect(decodeDcutr(many)).toMatchObject({ addresses: { length: MAX_DCUTR_ADDRESSES } })
    expect(() => decodeDcutr(new Uint8Array(MAX_DCUTR_BYTES + 1))).toThrow(expect.objectContaining({ code: 'FRAME_TOO_LARGE' }))
  })

  it('[PT4] refuses types that nobody knows, and never fails otherwise on any bytes', () => {
    expect(() => decodeDcutr(Uint8Array.of(0x08, 0x01))).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 256 }), (bytes) => {
        try {
          decodeDcutr(bytes)
        } catch (error) {
          expect(error).toMatchObject({ code: 'BAD_FRAME' })
        }
      }),
    )
  })
})
