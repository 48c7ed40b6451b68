import type { DeviceId, MeshAddress, Messenger } from '@skein/core'
import type { MeshView } from './contract.ts'

const OFF: MeshView = { enabled: false, neighbours: [], routes: [], bundles: [], used_bytes: 0, capacity_bytes: 0 }

/** Routes and bundles name addresses of a day; those of contacts are shown with their names. */
export function meshView(messenger: Messenger): MeshView {
  const { mesh } = messenger
  if (mesh === undefined) return OFF
  const { neighbours, routes, bundles, usedBytes, capacityBytes } = mesh.status()
  const known = contactsByAddress(messenger)
  return {
    enabled: true,
    neighbours: neighbours.map(({ peer, since, bytesIn, bytesOut, routes: count }) => ({
      device: peer,
      ...ownerOf(messenger, peer as DeviceId),
      since,
      bytes_in: bytesIn,
      bytes_out: bytesOut,
      routes: count,
    })),
    routes: routes.map(({ address, ways }) => ({
      address: textOf(address),
      ...(known.get(address) ?? NOBODY),
      ways: ways.map(({ peer, hops, quality, provenAt }) => ({ device: peer, hops, quality, proven_at: Math.round(provenAt) })),
    })),
    bundles: bundles.map(({ key, address, bytes, isOwn, hops, copies, receivedAt, expiresAt }) => ({
      id: key,
      address: textOf(address),
      bytes,
      own: isOwn,
      hops,
      copies,
      received_at: receivedAt,
      expires_at: expiresAt,
    })),
    used_bytes: usedBytes,
    capacity_bytes: capacityBytes,
  }
}

const NOBODY = { contact: null, name: '' }

/** 8 hex digits. */
function textOf(address: MeshAddress): string {
  return address.toString(16).padStart(8, '0')
}

function ownerOf({ book }: Messenger, device: DeviceId): { contact: string | null; name: string } {
  const owner = book.ownerOf(device)
  return owner === undefined ? NOBODY : { contact: owner.account, name: owner.petname }
}

function contactsByAddress(messenger: Messenger): ReadonlyMap<MeshAddress, { contact: string; name: string }> {
  const { book } = messenger
  return new Map(
    book.all().flatMap(({ account, petname }) =>
      book.devicesOf(account).flatMap(({ device }) => {
        const address = messenger.meshAddressOf(device)
        return address === undefined ? [] : [[address, { contact: account, name: petname }] as const]
      }),
    ),
  )
}
