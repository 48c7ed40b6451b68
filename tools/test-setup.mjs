// Before each file of unit tests: what makes them quick and changes nothing that they see.
import { expect } from 'vitest'

/** For worlds in memory (packages/core/src/testing/world-primitives.ts), which otherwise spend most of their time on portable curves. */
globalThis.skeinTestPrimitives = async () => (await import('../packages/node/src/platform/primitives.ts')).nativePrimitives

/** Vitest looks at each index of an array by name, which takes a second for a megabyte. Where they differ it shows how. */
function sameBytes(a, b) {
  const are = a instanceof Uint8Array && b instanceof Uint8Array && Object.getPrototypeOf(a) === Object.getPrototypeOf(b)
  return are && Buffer.compare(a, b) === 0 ? true : undefined
}

expect.addEqualityTesters([sameBytes])
