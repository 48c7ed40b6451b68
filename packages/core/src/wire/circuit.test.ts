import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeAdmissionReply, decodeAdmissionRequest, encodeAdmissionReply, encodeAdmissionRequest } from './admission.ts'
import type { AdmissionRequestFrame } from './admission.ts'
import { decodeHopRequest, decodeStopReply, encodeHopReply, encodeStopConnect, MAX_CIRCUIT_MESSAGE_BYTES } from './circuit.ts'

const hex = (bytes: Uint8Array): string => Array.from(bytes, (each) => each.toString(16).padStart(2, '0')).join(' ')

describe('Circuit Relay v2 on the wire', () => {
  it('[RL1] writes the bytes of the specification', () => {
    // type STATUS, status OK
    expect(hex(encodeHopReply({ status: 'ok' }))).toBe('08 02 28 64')
    // type STATUS, reservation {expire 300, addrs [04]}, limit {duration 60, data 128}, status OK
    const place = { expires: 300, addresses: [Uint8Array.of(4)] }
    expect(hex(encodeHopReply({ status: 'ok', place, limit: { seconds: 60, bytes: 128 } }))).toBe(
      '08 02 1a 06 08 ac 02 12 01 04 22 05 08 3c 10 80 01 28 64',
    )
    // type CONNECT, peer {id 01 02}, no limit
    expect(hex(encodeStopConnect(Uint8Array.of(1, 2)))).toBe('08 00 12 04 0a 02 01 02')
  })

  it('[RL1] announces a limit of less than a second as one, because 0 means none', () => {
    expect(hex(encodeStopConnect(Uint8Array.of(1), { seconds: 0.5 }))).toBe('08 00 12 03 0a 01 01 1a 02 08 01')
  })

  it('[RL1] reads requests, and refuses what asks for nothing known', () => {
    expect(decodeHopRequest(Uint8Array.of(0x08, 0))).toEqual({ kind: 'reserve' })
    expect(decodeHopRequest(Uint8Array.of(0x08, 1, 0x12, 3, 0x0a, 1, 9))).toEqual({ kind: 'connect', peer: Uint8Array.of(9) })
    for (const wrong of [[], [0x08, 2], [0x08, 1], [0x08, 1, 0x12, 0]])
      expect(() => decodeHopRequest(Uint8Array.from(wrong))).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
    expect(() => decodeHopRequest(new Uint8Array(MAX_CIRCUIT_MESSAGE_BYTES + 1))).toThrow(
      expect.objectContaining({ code: 'FRAME_TOO_LARGE' }),
    )
  })

  it('[RL1] never fails otherwise on any bytes', () => {
    for (const read of [decodeHopRequest, decodeStopReply, decodeAdmissionRequest, decodeAdmissionReply])
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
          try {
            read(bytes)
          } catch (error) {
            expect(['BAD_FRAME', 'FRAME_TOO_LARGE']).toContain((error as { code: string }).code)
          }
        }),
      )
  })
})

describe('admission on the wire', () => {
  const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
  const request: fc.Arbitrary<AdmissionRequestFrame> = fc.oneof(
    fc.record({ kind: fc.constant('token' as const), token: fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme-ascii' }) }),
    fc.record({ kind: fc.constant('invite' as const), proof: bytes32 }),
    fc.record({ kind: fc.constant('register' as const), hash: bytes32, expiresAt: fc.nat() }),
  )

  it('[RL6] reads what it writes', () => {
    fc.assert(
      fc.property(request, (frame) => {
        expect(decodeAdmissionRequest(encodeAdmissionRequest(frame))).toEqual(frame)
      }),
    )
    for (const outcome of ['admitted', 'registered', 'refused', 'full'] as const)
      expect(decodeAdmissionReply(encodeAdmissionReply(outcome))).toBe(outcome)
  })

  it('[RL6] refuses what is empty, too long or of the wrong length', () => {
    for (const wrong of [[], [0x0a, 0], [0x12, 1, 7], [0x1a, 3, 0x0a, 1, 7]])
      expect(() => decodeAdmissionRequest(Uint8Array.from(wrong))).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
    expect(() => encodeAdmissionRequest({ kind: 'token', token: 'x'.repeat(257) })).toThrow(
      expect.objectContaining({ code: 'FRAME_TOO_LARGE' }),
    )
  })
})
