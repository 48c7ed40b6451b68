import type { Reconciliation } from './reconcile/reconciliation.ts'
import type { BundleHeader, BundleKey, HeldBundle, MeshAddress } from './bundle.ts'

/** Names a link while it is up; the same device may be reached over several. */
export type LinkId = string

/** What is known of the node at the other end of a link, by its own word. */
export interface Neighbour {
  readonly link: LinkId
  /** As `LinkInfo.peer`. */
  readonly peer: string
  /** Order in which links came up; earlier ones are served first. */
  readonly order: number
  /** Bytes per second. */
  readonly bandwidth: number
  /** Milliseconds since 1970. */
  readonly since: number
  /** What this node is called on this link, and what the other side calls itself: made up for the link, and nobody's address. */
  readonly ownAlias: MeshAddress
  alias: MeshAddress | undefined
  readonly addresses: Set<MeshAddress>
  /** Bundles it holds or has received for itself. */
  readonly has: Set<BundleKey>
  /** Bundles it was asked about; what of these it does not name as held, it lacks. */
  readonly asked: Set<BundleKey>
  /** Bundles it did not want, until it says something new. */
  readonly refused: Set<BundleKey>
  /** Locks behind which it holds a piece. */
  readonly pieces: Set<string>
  /** Bytes it has of bundles whose transfer broke off. */
  readonly partials: Map<BundleKey, number>
  /** What goes on to find out which proofs of delivery only one side has. */
  reconciliation: Reconciliation | undefined
  /** When it last began a comparison, milliseconds since 1970. */
  comparedAt: number
  /** What it says of reaching an address, in the terms of the policy. */
  readonly prospects: Map<MeshAddress, number>
  /** What it has learned from meetings, in the terms of the policy. */
  experience: readonly number[]
}

/** A link that came up, as the driver reports it. */
export interface LinkInfo {
  readonly link: LinkId
  /** Who is at the other end, the same whenever it comes again; without it each link is somebody new. */
  readonly peer?: string
  /** Bytes per second. */
  readonly bandwidth: number
}

/** How long pieces wait for neighbours that hold none of the others, in milliseconds (ME32). */
const APART_MS = 60_000

/** When it is asked. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly now: number
  /** What is on its way to somebody just now. */
  readonly busy?: ReadonlySet<BundleKey>
}

/** Whether a bundle may be offered to a neighbour: not a second piece of one whole, unless it is for it or nobody else has come. */
export function lacks(neighbour: Neighbour, held: HeldBundle, { now, busy }: Moment): boolean {
  if (neighbour.has.has(held.key) || neighbour.refused.has(held.key) || busy?.has(held.key) === true) return false
  const isSecond = held.isPiece === true && neighbour.pieces.has(held.lock)
  return !isSecond || neighbour.addresses.has(held.address) || now - held.receivedAt >= APART_MS
}

/** The neighbour holds this bundle. */
export function holds(neighbour: Neighbour | undefined, { key, lock, isPiece }: BundleHeader): void {
  neighbour?.has.add(key)
  if (isPiece === true) neighbour?.pieces.add(lock)
}
