/** What a user may see of the mesh. */
import type { BundleKey, HeldBundle, MeshAddress } from '../bundle.ts'
import type { RouteNode } from '../routes/index.ts'
import type { ArchivedStore } from './archived-store.ts'
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

export interface MeshStatus {
  readonly neighbours: readonly MeshNeighbourView[]
  readonly routes: readonly MeshRouteView[]
  readonly bundles: readonly MeshBundleView[]
  readonly pieces: PiecesView
  readonly usedBytes: number
  readonly capacityBytes: number
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
}

export function statusOf({ sessions, store, routes, pieces, own, now, mono }: StatusSources): MeshStatus {
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
    bundles: [...store.all()].map((held) => ({ ...held, isOwn: own(held.key) })),
    pieces,
    usedBytes: store.usedBytes,
    capacityBytes: store.capacityBytes,
  }
}
