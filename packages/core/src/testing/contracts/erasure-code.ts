/** What core expects of an erasure code. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ErasureCode } from '../../mesh/index.ts'

const shapes = fc
  .tuple(fc.integer({ min: 1, max: 16 }), fc.integer({ min: 1, max: 16 }), fc.integer({ min: 1, max: 200 }))
  .chain(([k, more, size]) =>
    fc.record({
      k: fc.constant(k),
      n: fc.constant(k + more),
      data: fc.array(fc.uint8Array({ minLength: size, maxLength: size }), { minLength: k, maxLength: k }),
      kept: fc.shuffledSubarray([...Array(k + more).keys()], { minLength: k, maxLength: k }),
    }),
  )

export function erasureContract(name: string, make: () => Promise<ErasureCode>): void {
  describe(`ErasureCode contract: ${name}`, () => {
    it('[ME23] any k of n shards give the data back', async () => {
      const code = await make()
      fc.assert(
        fc.property(shapes, ({ k, n, data, kept }) => {
          const shards = [...data, ...code.parity(data, n)]
          expect(shards).toHaveLength(n)
          const left = shards.map((shard, at) => (kept.includes(at) ? shard : undefined))
          expect(code.restore(left, k)).toEqual(data)
        }),
        { numRuns: 100 },
      )
    })

    it('[ME23] fewer than k give nothing', async () => {
      const code = await make()
      const data = [1, 2, 3].map((byte) => new Uint8Array(40).fill(byte))
      const shards = [...data, ...code.parity(data, 6)]
      expect(code.restore([undefined, undefined, undefined, undefined, ...shards.slice(4)], 3)).toBeUndefined()
    })
  })
}
