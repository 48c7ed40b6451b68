/** Making and verifying signed presences. */
import { SkeinError } from '../errors/index.ts'
import { accountDigest, accountIdFromDigest, type DeviceId, deviceIdFromKey, deviceKey } from '../ids.ts'
import type { Identity } from '../identity/index.ts'
import type { Primitives } from '../ports/primitives.ts'
import { decodePresence, encodePresence } from '../wire/presence.ts'
import { isSignedBy, sign, type SignedBytes } from '../wire/signed.ts'
import { CLOCK_WINDOW_MS, type Heard, leaseOf } from './presence-table.ts'

/** 32 bytes that name the scope of a presence. */
export type NetworkId = Uint8Array

/** The community of a relay, or any other gossip topic. */
export function communityNetwork(primitives: Primitives, relay: DeviceId): NetworkId {
  return primitives.sha256(new TextEncoder().encode(`skein community v1\0${relay}`))
}

/** A pair of devices on their own channel: what they sign for each other is worth nothing elsewhere. */
export function pairNetwork(primitives: Primitives, a: DeviceId, b: DeviceId): NetworkId {
  return primitives.sha256(new TextEncoder().encode(`skein pair v1\0${[a, b].sort().join('\0')}`))
}

export function presenceTopic(relay: DeviceId): string {
  return `/skein/presence/1/${relay}`
}

export function networkKey(network: NetworkId): string {
  return network.reduce((text, byte) => text + byte.toString(16).padStart(2, '0'), '')
}

export interface PresenceDraft {
  readonly network: NetworkId
  /** Milliseconds since 1970, strictly rising. */
  readonly at: number
  readonly name: string
  /** Milliseconds, 0 for the usual time (PR11). */
  readonly lease: number
}

export function signPresence(primitives: Primitives, identity: Identity, { network, at, name, lease }: PresenceDraft): SignedBytes {
  const statement = encodePresence({
    deviceKey: identity.deviceKey,
    accountDigest: accountDigest(identity.account),
    networkId: network,
    at,
    name,
    lease,
  })
  return sign(primitives, 'skein presence v1', { statement, seed: identity.deviceSeed })
}

export interface PresenceScope {
  readonly network: NetworkId
  /** Our wall clock; null on a channel of its own, where a recording cannot be played. */
  readonly now: number | null
  /** Device that must have signed it, on a channel of its own. */
  readonly from?: DeviceId
}

/** @throws SkeinError BAD_FRAME, BAD_SIGNATURE, WRONG_DEVICE for another network or device, REPLAYED outside the clock window */
export function openPresence(primitives: Primitives, signed: SignedBytes, scope: PresenceScope): Omit<Heard, 'age' | 'contact'> {
  const fields = decodePresence(signed.statement)
  if (!fields.networkId.every((byte, at) => scope.network[at] === byte))
    throw new SkeinError('WRONG_DEVICE', 'A presence was made for another network.')
  const device = deviceIdFromKey(fields.deviceKey)
  if (scope.from !== undefined && device !== scope.from)
    throw new SkeinError('WRONG_DEVICE', 'A presence of another device came over a channel.')
  if (scope.now !== null && Math.abs(scope.now - fields.at) > CLOCK_WINDOW_MS)
    throw new SkeinError('REPLAYED', 'A presence is too old or from the future.')
  if (!isSignedBy(primitives, 'skein presence v1', { signed, key: deviceKey(device) }))
    throw new SkeinError('BAD_SIGNATURE', 'A presence is not signed by its device.')
  const account = accountIdFromDigest(fields.accountDigest)
  const { name, at: signedAt } = fields
  return { device, account, name, signedAt, lease: leaseOf(fields.lease), network: networkKey(scope.network), signed }
}
