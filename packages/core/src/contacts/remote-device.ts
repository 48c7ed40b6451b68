import { openBundle, type RemoteDevice } from '../e2ee/index.ts'
import { type DeviceId, deviceKey } from '../ids.ts'
import { decodeSigned } from '../wire/signed.ts'
import type { ContactDeps } from './contact-deps.ts'

/** What the session cipher has to know of a device; `undefined` for one of nobody we know. */
export function remoteDevice({ book, primitives }: Pick<ContactDeps, 'book' | 'primitives'>, device: DeviceId): RemoteDevice | undefined {
  const known = book.device(device)
  const contact = book.ownerOf(device)
  if (known === undefined || contact === undefined) return undefined
  return {
    accountKey: contact.accountKey,
    deviceKey: deviceKey(device),
    dhKey: known.dhKey,
    bundle: () => (known.bundle.length === 0 ? undefined : openBundle(primitives, decodeSigned(known.bundle), deviceKey(device))),
    takeOneTime: () => book.takeOneTime(device),
  }
}
