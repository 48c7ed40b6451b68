/** What core expects of whatever keeps bundles beyond the process. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ArchivedBundle, type BundleArchive, bundleHeader, MAX_CURES } from '../../mesh/index.ts'
import { noblePrimitives } from '../../e2ee/primitives.ts'
import { encodeBundle } from '../../wire/mesh-bundle.ts'

export interface ArchiveUnderTest {
  readonly archive: BundleArchive
  /** The same data, as the next process finds it. */
  reopen(): Promise<BundleArchive>
  end(): Promise<void>
}

const HOUR = 500_000

function bundle(number: number, size = 100): { readonly held: ArchivedBundle; readonly bytes: Uint8Array } {
  const bytes = encodeBundle({
    kind: 'envelope',
    deliveryTag: new Uint8Array(16).fill(number),
    expiryHour: HOUR,
    cureLock: new Uint8Array(16).fill(number),
    priority: 1,
    sealed: new Uint8Array(size).fill(number),
  })
  const header = bundleHeader(bytes, noblePrimitives)
  return { held: { ...header, receivedAt: 1_000 + number, hops: number, hopLimit: 9, copies: 4, from: `peer ${number}` }, bytes }
}

/** Runs the contract; `make` is called for each test. */
export function bundleArchiveContract(name: string, make: () => Promise<ArchiveUnderTest>): void {
  describe(`BundleArchive contract: ${name}`, () => {
    let place: ArchiveUnderTest
    let archive: BundleArchive
    beforeEach(async () => {
      place = await make()
      archive = place.archive
    })
    afterEach(() => place.end())

    it('[ME21] gives back what was put, in that order, also after it was closed', async () => {
      const [a, b] = [bundle(2), bundle(1, 200_000)]
      await archive.put(a.held, a.bytes)
      await archive.put(b.held, b.bytes)
      expect(await archive.bundles()).toEqual([a.held, b.held])
      const again = await place.reopen()
      expect(await again.bundles()).toEqual([a.held, b.held])
      expect(await again.bytes(b.held.key)).toEqual(b.bytes)
    })

    it('[ME21] what is there already stays as it was', async () => {
      const { held, bytes } = bundle(1)
      await archive.put(held, bytes)
      await archive.put({ ...held, hops: 60, from: 'somebody else' }, bytes)
      expect(await archive.bundles()).toEqual([held])
    })

    it('[ME21] remembers how many copies are left, and forgets what is removed', async () => {
      const [a, b] = [bundle(1), bundle(2)]
      for (const { held, bytes } of [a, b]) await archive.put(held, bytes)
      await archive.setCopies(a.held.key, 1)
      await archive.remove(b.held.key)
      await archive.remove(b.held.key)
      await archive.setCopies(b.held.key, 1)
      const again = await place.reopen()
      expect(await again.bundles()).toEqual([{ ...a.held, copies: 1 }])
      expect(await again.bytes(b.held.key)).toBeNull()
    })

    it('[ME21] keeps each proof once, until it is older than asked for', async () => {
      const cure = (byte: number) => ({ key: new Uint8Array(16).fill(byte), expiresAt: byte * 1_000 })
      for (const bytes of [[1, 2, 3], [2]]) await archive.putCures(bytes.map(cure))
      await archive.pruneCures(2_000)
      const again = await place.reopen()
      expect(new Set((await again.cures()).map(({ expiresAt }) => expiresAt))).toEqual(new Set([2_000, 3_000]))
      expect(await again.cures()).toHaveLength(2)
    })

    it('[ME21] keeps the later expiry of a proof', async () => {
      const key = new Uint8Array(16)
      for (const expiresAt of [2_000, 5_000, 3_000]) await archive.putCures([{ key, expiresAt }])
      const again = await place.reopen()
      expect(await again.cures()).toEqual([{ key, expiresAt: 5_000 }])
    })

    it('[ME21] keeps so many proofs and no more, the latest', async () => {
      const key = (number: number) => new Uint8Array(new Uint32Array([number, 0, 0, 0]).buffer)
      const all = Array.from({ length: MAX_CURES + 10 }, (_, number) => ({ key: key(number), expiresAt: 9_000_000 - number }))
      await archive.putCures(all)
      await archive.pruneCures(0)
      const kept = await archive.cures()
      expect(kept).toHaveLength(MAX_CURES)
      expect(new Set(kept.map(({ expiresAt }) => expiresAt)).has(9_000_000)).toBe(false)
    })
  })
}
