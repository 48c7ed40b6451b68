import { noblePrimitives } from '../e2ee/primitives.ts'
import type { Primitives } from '../ports/primitives.ts'

/** What runs the tests may offer a faster backend: byte-equal by contract, so that nothing else differs (tools/test-setup.mjs). */
interface Offer {
  readonly skeinTestPrimitives?: () => Promise<Primitives>
}

/** Of worlds that are told of no others. */
export const worldPrimitives: Primitives = (await (globalThis as Offer).skeinTestPrimitives?.()) ?? noblePrimitives
