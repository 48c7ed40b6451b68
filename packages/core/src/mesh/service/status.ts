/** What a user may see of the mesh. */
import type { BundleKey, HeldBundle, MeshAddress } from '../bundle.ts'
import type { RouteNode } from '../routes/index.ts'
import type { ArchivedStore } from './archived-store.ts'
import type { ClockDoubt } from './clock-doubt.ts'
import type { NeighbourSession } from './neighbour-session.ts'
import type { SpreadCounts } from './spreader.ts'

export interface MeshNeighbourView {
  readonly peer: string
  /** Milliseconds since 1970. */
  readonly since: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** Routes that lead over it. */
  readonly routes: number
}

export interface MeshRouteView {
  readonly address: MeshAddress
  readonly ways: readonly { readonly peer: string; readonly hops: number; readonly quality: number; readonly provenAt: number }[]
}

export interface MeshBundleView extends HeldBundle {
  /** Made here. */
  readonly isOwn: boolean
}

/** What is carried for one address. */
export interface MeshCarriedView {
  readonly address: MeshAddress
  readonly isOwn: boolean
  readonly count: number
  readonly bytes: number
}

export interface MeshStatus {
  readonly neighbours: readonly MeshNeighbourView[]
  readonly routes: readonly MeshRouteView[]
  /** Each of them, of which there may be tens of thousands: listed when it is looked at. */
  readonly bundles: readonly MeshBundleView[]
  readonly carried: readonly MeshCarriedView[]
  readonly pieces: PiecesView
  readonly usedBytes: number
  readonly capacityBytes: number
  /** Most neighbours live in another time: one of the clocks is wrong, and it is likelier to be this one. */
  readonly clockDiffers: boolean
}

/** How large messages have gone since the start, and how many have become whole here. */
export interface PiecesView extends Readonly<SpreadCounts> {
  readonly joined: number
  /** Share of copies left to carriers that arrive, 0 to 1, as far as is known. */
  readonly survival: number
}

export interface StatusSources {
  readonly sessions: readonly NeighbourSession[]
  readonly store: ArchivedStore
  readonly routes: RouteNode
  readonly pieces: PiecesView
  own(key: BundleKey): boolean
  /** The same moment by the wall and by the monotonic clock, milliseconds. */
  readonly now: number
  readonly mono: number
  readonly clocks: ClockDoubt
}

export function statusOf({ sessions, store, routes, pieces, own, now, mono, clocks }: StatusSources): MeshStatus {
  const peerOf = (link: string): string => sessions.find(({ id }) => id === link)?.peer ?? ''
  const ways = [...routes.routes(mono)].map(([address, found]) => ({
    address,
    ways: found.map(({ link, hops, quality, provenAt }) => ({ peer: peerOf(link), hops, quality, provenAt: provenAt + now - mono })),
  }))
  return {
    neighbours: sessions.map(({ peer, since, bytesIn, bytesOut }) => ({
      peer,
      since,
      bytesIn,
      bytesOut,
      routes: ways.filter((route) => route.ways.some((way) => way.peer === peer)).length,
    })),
    routes: ways,
    get bundles() {
      return Array.from(store.all(), (held) => ({ ...held, isOwn: own(held.key) }))
    },
    carried: sums(store.all(), own),
    pieces,
    usedBytes: store.usedBytes,
    capacityBytes: store.capacityBytes,
    clockDiffers: clocks.isWrong,
  }
}

function sums(all: Iterable<HeldBundle>, own: StatusSources['own']): readonly MeshCarriedView[] {
  const rows = new Map<string, MeshCarriedView>()
  for (const { key, address, bytes } of all) {
    const isOwn = own(key)
    const name = `${address} ${isOwn}`
    const before = rows.get(name)
    rows.set(name, { address, isOwn, count: (before?.count ?? 0) + 1, bytes: (before?.bytes ?? 0) + bytes })
  }
  return [...rows.values()]
}
