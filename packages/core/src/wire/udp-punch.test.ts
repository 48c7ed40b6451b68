import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeUdpPunch, encodeUdpPunch, MAX_UDP_PUNCH_BYTES, type UdpPunchFrame } from './udp-punch.ts'

const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 })
const offer = fc.record({
  kind: fc.constant('offer' as const),
  nonce: bytes,
  stun: fc.constant('stun:relay.example:3478'),
  host: fc.ipV4(),
  port: fc.integer({ min: 1, max: 65_535 }),
  mapping: fc.constantFrom('same' as const, 'sequential' as const, 'random' as const),
  step: fc.integer({ min: -16, max: 16 }),
  token: bytes,
})
const ask = fc.record({ kind: fc.constant('ask' as const), nonce: bytes, stun: fc.array(fc.string({ maxLength: 40 }), { maxLength: 8 }) })

describe('coordination of a UDP punch', () => {
  it('[PT7] reads what it writes', () => {
    const no = fc.record({ kind: fc.constant('no' as const), cause: fc.constantFrom('unknown', 'busy', 'no-udp', 'no-relay') })
    const anyFrame = fc.oneof(offer, ask, no, fc.constant({ kind: 'go' } as const))
    fc.assert(
      fc.property(anyFrame, (frame) => {
        expect(decodeUdpPunch(encodeUdpPunch(frame))).toEqual(frame)
      }),
    )
  })

  it('[PT7] refuses what cannot be', () => {
    const good: UdpPunchFrame = {
      kind: 'offer',
      nonce: new Uint8Array(16),
      stun: 'stun:a',
      host: '9.9.9.9',
      port: 80,
      mapping: 'same',
      step: 0,
      token: new Uint8Array(16),
    }
    const wrong = [
      { port: 0 },
      { port: 70_000 },
      { step: 17 },
      { nonce: new Uint8Array(15) },
      { token: new Uint8Array(17) },
      { host: 'x'.repeat(300) },
    ]
    for (const each of wrong)
      expect(() => decodeUdpPunch(encodeUdpPunch({ ...good, ...each }))).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
    expect(() => decodeUdpPunch(new Uint8Array(MAX_UDP_PUNCH_BYTES + 1))).toThrow(expect.objectContaining({ code: 'FRAME_TOO_LARGE' }))
  })

  it('[PT7] never fails otherwise on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (any) => {
        try {
          decodeUdpPunch(any)
        } catch (error) {
          expect(error).toMatchObject({ code: 'BAD_FRAME' })
        }
      }),
    )
  })
})
