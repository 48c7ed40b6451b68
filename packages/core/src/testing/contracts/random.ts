/** What core expects of every Random. That real bytes cannot be foretold no test can show; that they are not all alike, one can. */
import { describe, expect, it } from 'vitest'
import type { Random } from '../../ports/random.ts'

const DRAWS = 20_000

export function randomContract(name: string, make: () => Random): void {
  describe(`Random contract: ${name}`, () => {
    it('gives as many bytes as were asked for', () => {
      const random = make()
      for (const count of [0, 1, 16, 32, 65_537]) expect(random.bytes(count)).toHaveLength(count)
    })

    it('gives plain bytes in memory of their own, which nobody else reads or changes', () => {
      const random = make()
      const [first, second] = [random.bytes(32), random.bytes(32)]
      expect(Object.getPrototypeOf(first)).toBe(Uint8Array.prototype)
      expect([first.byteOffset, first.buffer.byteLength]).toEqual([0, 32])
      const before = second.slice()
      first.fill(0)
      expect(second).toEqual(before)
    })

    it('never gives the same bytes twice', () => {
      const random = make()
      const seen = new Set(Array.from({ length: 1_000 }, () => random.bytes(16).join()))
      expect(seen.size).toBe(1_000)
    })

    it('gives every byte value about as often as any other', () => {
      const counts = Array.from({ length: 256 }, () => 0)
      for (const byte of make().bytes(256 * 400)) counts[byte] = (counts[byte] ?? 0) + 1
      // Ten standard deviations of 20 around 400: no fair source ever fails.
      expect(Math.min(...counts)).toBeGreaterThan(200)
      expect(Math.max(...counts)).toBeLessThan(600)
    })

    it('draws evenly from 0 up to, but not including, 1', () => {
      const random = make()
      const draws = Array.from({ length: DRAWS }, () => random.uniform())
      expect(draws.every((each) => each >= 0 && each < 1)).toBe(true)
      for (let tenth = 0; tenth < 10; tenth += 1) {
        const share = draws.filter((each) => Math.floor(each * 10) === tenth).length / DRAWS
        expect(share).toBeGreaterThan(0.07)
        expect(share).toBeLessThan(0.13)
      }
    })
  })
}
