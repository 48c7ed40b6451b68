import { signBundle } from '../e2ee/bundle.ts'
import { worldPrimitives } from './world-primitives.ts'
import { bundleOf } from '../e2ee/prekeys.ts'
import type { StoredPrekey } from '../ports/store.ts'
import type { SignedBytes } from '../wire/signed.ts'

/** A prekey that is the same in every run. */
export const TEST_PREKEY: StoredPrekey = {
  id: 7,
  secret: new Uint8Array(32).fill(5),
  kemSeed: new Uint8Array(64).fill(6),
  createdAt: 1_000,
  supersededAt: null,
}

/** A signed bundle of the device, for cards and records made outside a messenger. */
export function bundleFor(device: { readonly deviceKey: Uint8Array; readonly deviceSeed: Uint8Array }, prekey = TEST_PREKEY): SignedBytes {
  return signBundle(worldPrimitives, bundleOf(worldPrimitives, prekey, device.deviceKey), device.deviceSeed)
}
