/** What core expects of every Compression. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Compression } from '../../ports/compression.ts'

/** What zlib 1.3 makes of a thousand times «a» and then «end», at level 6. */
const OF_ANOTHER = Uint8Array.of(0x4b, 0x4c, 0x1c, 0x05, 0xa3, 0x60, 0x14, 0x0c, 0x77, 0x90, 0x9a, 0x97, 0x02, 0x00)
const EXPANDED = new TextEncoder().encode(`${'a'.repeat(1_000)}end`)

export function compressionContract(name: string, { deflate, inflate }: Compression): void {
  describe(`Compression contract: ${name}`, () => {
    it('[EP20] gives back what it was given, also with exactly the room it needs', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 3_000 }), (content) => {
          expect(inflate(deflate(content), content.length)).toEqual(content)
        }),
      )
      const zeros = new Uint8Array(100_000)
      expect(deflate(zeros).length).toBeLessThan(200)
      expect(inflate(deflate(zeros), 1_000_000)).toEqual(zeros)
    })

    it('[EP20] reads what another backend has made', () => {
      expect(inflate(OF_ANOTHER, 2_000)).toEqual(EXPANDED)
    })

    it('[EP21] gives nothing when more would come out than may', () => {
      expect(inflate(OF_ANOTHER, EXPANDED.length)).toEqual(EXPANDED)
      for (const most of [0, 1, 500, EXPANDED.length - 1]) expect(inflate(OF_ANOTHER, most)).toBeUndefined()
      const bomb = deflate(new Uint8Array(20_000_000))
      expect(inflate(bomb, 1_048_576)).toBeUndefined()
    })

    it('[EP21] damaged input throws, gives nothing or gives something within the limit: never more, never a crash', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(2_000), (noise, most) => {
          let expanded: Uint8Array | undefined
          try {
            expanded = inflate(noise, most)
          } catch (error) {
            expect(error).toBeInstanceOf(Error)
          }
          expect(expanded?.length ?? 0).toBeLessThanOrEqual(most)
        }),
        { numRuns: 2_000 },
      )
      expect(() => inflate(OF_ANOTHER.subarray(0, 8), 2_000)).toThrow()
      expect(() => inflate(Uint8Array.of(0xff, 1, 2), 2_000)).toThrow()
    })
  })
}
