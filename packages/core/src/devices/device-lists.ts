/** Changing and joining the account's own device list (DV1 to DV4): pure. */
import { SkeinError } from '../errors/index.ts'
import { type DeviceId, deviceIdFromKey, deviceKey } from '../ids.ts'
import type { DeviceListDraft } from '../identity/index.ts'
import { decodeDeviceList, type DeviceEntryFields, type DeviceListFields } from '../wire/contact.ts'
import { MAX_DEVICES, MAX_REVOKED } from '../wire/limits.ts'
import type { SignedBytes } from '../wire/signed.ts'

/** A list before it is signed. */
export type ListChange = Omit<DeviceListDraft, 'accountSeed'>

/** The list with one device more. @throws SkeinError USAGE when the account has as many as it may, or has taken this one out */
export function withDevice(signed: SignedBytes, entry: DeviceEntryFields): ListChange {
  const { version, devices, revoked = [], since = 0 } = decodeDeviceList(signed.statement)
  if (devices.length >= MAX_DEVICES) throw new SkeinError('USAGE', `An account has at most ${MAX_DEVICES} devices; revoke one first.`)
  const device = deviceIdFromKey(entry.deviceKey)
  if (idsOf(revoked).has(device)) throw new SkeinError('DEVICE_REVOKED', 'This device was revoked; it can come back with new keys alone.')
  return { version: version + 1, devices: inOrder([...devices.filter(isNot(device)), entry]), revoked, since }
}

/** The list without a device. @throws SkeinError DEVICE_UNKNOWN */
export function withoutDevice(signed: SignedBytes, device: DeviceId): ListChange {
  const { version, devices, revoked = [], since = 0 } = decodeDeviceList(signed.statement)
  const kept = devices.filter(isNot(device))
  if (kept.length === devices.length) throw new SkeinError('DEVICE_UNKNOWN', 'The account has no such device.')
  return { version: version + 1, devices: inOrder(kept), revoked: [...revoked, deviceKey(device)].slice(-MAX_REVOKED), since }
}

/**
 * What two lists of one account make together: one of them, where it says all that the other says, or a new one. What one has
 * taken out is out. Both sides make the same.
 */
export function joinLists(mine: SignedBytes, theirs: SignedBytes): 'mine' | 'theirs' | ListChange {
  const [ours, others] = [decodeDeviceList(mine.statement), decodeDeviceList(theirs.statement)]
  if (others.version < (ours.since ?? 0)) return 'mine'
  if (ours.version < (others.since ?? 0)) return 'theirs'
  const joined = union(ours, others)
  if (ours.version >= others.version && says(ours, joined)) return 'mine'
  if (others.version >= ours.version && says(others, joined)) return 'theirs'
  if (joined.devices.length === 0 || joined.devices.length > MAX_DEVICES) return ours.version >= others.version ? 'mine' : 'theirs'
  return joined
}

function union(a: DeviceListFields, b: DeviceListFields): ListChange {
  const revoked = inKeyOrder([...(a.revoked ?? []), ...(b.revoked ?? [])]).slice(-MAX_REVOKED)
  const out = idsOf(revoked)
  const entries = new Map([...b.devices, ...a.devices].map((entry) => [deviceIdFromKey(entry.deviceKey), entry]))
  const devices = inOrder([...entries].filter(([device]) => !out.has(device)).map(([, entry]) => entry))
  return { version: Math.max(a.version, b.version) + 1, devices, revoked, since: Math.max(a.since ?? 0, b.since ?? 0) }
}

function says({ devices, revoked = [] }: DeviceListFields, joined: ListChange): boolean {
  const [has, out] = [idsOf(devices.map((each) => each.deviceKey)), idsOf(revoked)]
  const wanted = joined.devices.map((each) => deviceIdFromKey(each.deviceKey))
  return (
    has.size === wanted.length &&
    wanted.every((device) => has.has(device)) &&
    [...idsOf(joined.revoked ?? [])].every((each) => out.has(each))
  )
}

function idsOf(keys: readonly Uint8Array[]): ReadonlySet<DeviceId> {
  return new Set(keys.map(deviceIdFromKey))
}

const isNot =
  (device: DeviceId) =>
  (entry: DeviceEntryFields): boolean =>
    deviceIdFromKey(entry.deviceKey) !== device

function inOrder(entries: readonly DeviceEntryFields[]): readonly DeviceEntryFields[] {
  return [...entries].sort((a, b) => (deviceIdFromKey(a.deviceKey) < deviceIdFromKey(b.deviceKey) ? -1 : 1))
}

function inKeyOrder(keys: readonly Uint8Array[]): readonly Uint8Array[] {
  return [...idsOf(keys)].sort().map(deviceKey)
}
