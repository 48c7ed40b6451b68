/** Prekey bundles: what lets anyone seal a first message to a device that is away (EB1 to EB4). */
import { SkeinError } from '../errors/index.ts'
import type { Primitives } from '../ports/primitives.ts'
import { sameBytes } from '../wire/codec.ts'
import { decodePrekeyBundle, encodePrekeyBundle, type PrekeyBundleFields } from '../wire/sealed.ts'
import { isSignedBy, sign, type SignedBytes } from '../wire/signed.ts'

const LABEL = 'skein prekey bundle v1'

export function signBundle(primitives: Primitives, bundle: PrekeyBundleFields, deviceSeed: Uint8Array): SignedBytes {
  return sign(primitives, LABEL, { statement: encodePrekeyBundle(bundle), seed: deviceSeed })
}

/** The bundle, if the device with this key (Ed25519, 32 bytes) has signed it. @throws SkeinError BAD_FRAME, BAD_SIGNATURE, WRONG_DEVICE */
export function openBundle(primitives: Primitives, signed: SignedBytes, key: Uint8Array): PrekeyBundleFields {
  const bundle = decodePrekeyBundle(signed.statement)
  if (!sameBytes(bundle.deviceKey, key)) throw new SkeinError('WRONG_DEVICE', 'A prekey bundle is of another device.')
  if (!isSignedBy(primitives, LABEL, { signed, key })) throw new SkeinError('BAD_SIGNATURE', 'A prekey bundle is not signed by its device.')
  return bundle
}
