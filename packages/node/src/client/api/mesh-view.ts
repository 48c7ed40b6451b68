import type { DeviceId, MeshAddress, MeshBundleView, MeshCarriedView, Messenger, PiecesView } from '@skein/core'
import type { Client } from '../assemble.ts'
import type { MeshView } from './contract.ts'

const NO_PIECES = { over_ways: 0, over_carriers: 0, as_copies: 0, over_one_way: 0, joined: 0, survival: 0 }
const NOTHING = { neighbours: [], routes: [], bundles: [], carried: [] }
const OFF = { enabled: false, pieces: NO_PIECES, used_bytes: 0, capacity_bytes: 0, carried_count: 0, clock_differs: false } as const
/** Sums that are shown at most. */
const MAX_SUMS = 256

function reasonOf({ mesh, lan, bridge }: Client['config'], isBrowser: boolean): MeshView['off'] {
  if (isBrowser) return 'browser'
  if (!mesh) return 'option'
  return lan || bridge ? null : 'no-lan'
}

/** Routes and bundles name addresses of a day; those of contacts are shown with their names. */
export function meshView(
  { messenger, config, pid }: Pick<Client, 'messenger' | 'config' | 'pid'>,
  { bundles: isWanted = true }: { readonly bundles?: boolean | undefined } = {},
): MeshView {
  const { mesh } = messenger
  const off = reasonOf(config, pid === 0)
  if (mesh === undefined) return { ...OFF, ...NOTHING, off }
  const status = mesh.status()
  const { neighbours, routes, pieces, usedBytes, capacityBytes } = status
  const known = contactsByAddress(messenger)
  return {
    enabled: off === null,
    off,
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
    bundles: isWanted ? status.bundles.map((each) => bundleView(each, known)) : [],
    carried: sums(status.carried, known),
    carried_count: status.carried.reduce((sum, { count }) => sum + count, 0),
    clock_differs: status.clockDiffers,
    pieces: piecesView(pieces),
    used_bytes: usedBytes,
    capacity_bytes: capacityBytes,
  }
}

type Known = ReturnType<typeof contactsByAddress>

function bundleView(
  { key, address, bytes, isOwn, isPiece = false, hops, copies, receivedAt, expiresAt }: MeshBundleView,
  known: Known,
): MeshView['bundles'][number] {
  return {
    ...{ id: key, address: textOf(address), ...(known.get(address) ?? NOBODY), bytes, own: isOwn, hops, copies, piece: isPiece },
    ...{ received_at: receivedAt, expires_at: expiresAt },
  }
}

/** By contact, where one is known: it has another address each day. */
function sums(carried: readonly MeshCarriedView[], known: Known): MeshView['carried'] {
  const rows = new Map<string, MeshView['carried'][number]>()
  for (const { address, isOwn, count, bytes } of carried) {
    const { contact, name } = known.get(address) ?? NOBODY
    const key = `${contact ?? address} ${isOwn}`
    const before = rows.get(key) ?? { count: 0, bytes: 0 }
    rows.set(key, { address: textOf(address), contact, name, own: isOwn, count: before.count + count, bytes: before.bytes + bytes })
  }
  return [...rows.values()].toSorted((a, b) => Number(b.own) - Number(a.own) || b.bytes - a.bytes).slice(0, MAX_SUMS)
}

function piecesView({ overWays, overCarriers, asCopies, overOneWay, joined, survival }: PiecesView): MeshView['pieces'] {
  return { over_ways: overWays, over_carriers: overCarriers, as_copies: asCopies, over_one_way: overOneWay, joined, survival }
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
    book
      .all()
      .flatMap(({ account, petname }) =>
        book
          .devicesOf(account)
          .flatMap(({ device }) =>
            messenger.meshAddressesOf(device).map((address) => [address, { contact: account, name: petname }] as const),
          ),
      ),
  )
}
