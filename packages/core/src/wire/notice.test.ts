import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeNotice, encodeNotice } from './notice.ts'

it('[RL18] a notice says a time, and is refused in one way only', () => {
  // field 1, varint 6000
  expect([...encodeNotice({ leavingWithinMs: 6_000 })]).toEqual([0x08, 0xf0, 0x2e])
  expect(decodeNotice(encodeNotice({ leavingWithinMs: 600_000 }))).toEqual({ leavingWithinMs: 600_000 })
  for (const wrong of [[], [0x08, 0], [0x08, 0xc1, 0xcf, 0x24]])
    expect(() => decodeNotice(Uint8Array.from(wrong))).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      try {
        decodeNotice(bytes)
      } catch (error) {
        expect(['BAD_FRAME', 'FRAME_TOO_LARGE']).toContain((error as { code: string }).code)
      }
    }),
  )
})
