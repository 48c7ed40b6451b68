import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deviceIdFromKey } from '../ids.ts'
import {
  decodeBulkAnswer,
  decodeBulkOffer,
  decodeSpliceReply,
  decodeSpliceRequest,
  encodeBulkAnswer,
  encodeBulkOffer,
  encodeSpliceReply,
  encodeSpliceRequest,
} from './bulk.ts'

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
const device = bytes(32).map((key) => deviceIdFromKey(key))
const offer = fc.record({
  purpose: fc.constantFrom('file', 'file.2', 'a-b'),
  ticket: bytes(16),
  key: bytes(32),
  direct: fc.boolean(),
  knows: fc.boolean(),
  reverse: fc.boolean(),
  relays: fc.array(device, { maxLength: 8 }),
})

describe('raw connections on the wire', () => {
  it('[BU4, BU6] reads what it writes, and never an empty frame', () => {
    fc.assert(
      fc.property(offer, device, bytes(16), (frame, relay, session) => {
        expect(decodeBulkOffer(encodeBulkOffer(frame))).toEqual(frame)
        expect(decodeBulkAnswer(encodeBulkAnswer({ way: 'relay', relay }))).toEqual({ way: 'relay', relay })
        expect(decodeSpliceRequest(encodeSpliceRequest({ peer: relay, session }))).toEqual({ peer: relay, session })
        const reply = { status: 'ok', secret: { ticket: frame.ticket, key: frame.key } } as const
        expect(decodeSpliceReply(encodeSpliceReply(reply))).toEqual(reply)
      }),
    )
    for (const way of ['dial', 'await', 'none'] as const) {
      expect(encodeBulkAnswer({ way }).length).toBeGreaterThan(0)
      expect(decodeBulkAnswer(encodeBulkAnswer({ way }))).toEqual({ way })
    }
    expect(decodeSpliceReply(encodeSpliceReply({ status: 'denied' }))).toEqual({ status: 'denied' })
  })

  it('[BU4, BU6] fails on anything else in one way only', () => {
    const good = {
      purpose: 'file',
      ticket: new Uint8Array(16),
      key: new Uint8Array(32),
      direct: true,
      knows: false,
      reverse: false,
      relays: [],
    }
    for (const wrong of [{ purpose: '' }, { purpose: 'A' }, { ticket: new Uint8Array(15) }, { key: new Uint8Array(31) }])
      expect(() => decodeBulkOffer(encodeBulkOffer({ ...good, ...wrong }))).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
    for (const read of [decodeBulkOffer, decodeBulkAnswer, decodeSpliceRequest, decodeSpliceReply])
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 1_200 }), (any) => {
          try {
            read(any)
          } catch (error) {
            expect(['BAD_FRAME', 'FRAME_TOO_LARGE']).toContain((error as { code: string }).code)
          }
        }),
      )
  })
})
