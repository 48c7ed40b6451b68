import type { BundleHeader, HeldBundle, MeshAddress } from '../bundle.ts'
import type { BundleStore } from '../bundle-store.ts'
import type { Moment, Neighbour } from '../neighbour.ts'
import type { Random } from '../../ports/index.ts'

/** What a policy may look at. */
export interface PolicyContext extends Moment {
  readonly store: BundleStore
  readonly random: Random
}

/** Decides who is given a copy, and which copy goes when room is short. Delivery to the recipient itself needs no policy. */
export interface CarryingPolicy {
  readonly name: string
  /** Whether bytes of a transfer that broke off are kept and the rest is fetched later, from anybody. */
  readonly resumes: boolean
  /** Whether proofs of delivery are passed on. */
  readonly cures: boolean
  /** Whether nodes tell each other all they hold, and every change; else they ask about what they would hand over. */
  readonly summarises: boolean
  /** Copies a bundle made here starts with. */
  initialCopies(header: BundleHeader, context: PolicyContext): number
  /** A link has come up and the other side has said who it is and what it knows. */
  met(neighbour: Neighbour, context: PolicyContext): void
  /** Neighbours that are here still, or were until just now. */
  stayed(neighbours: Iterable<Neighbour>, context: PolicyContext): void
  /** What to tell a new neighbour about reaching others. */
  prospects(context: PolicyContext): ReadonlyMap<MeshAddress, number>
  /** What to tell a new neighbour about meetings at large. */
  experience(): readonly number[]
  /** Whether a neighbour that lacks a bundle shall get a copy. */
  wants(held: HeldBundle, neighbour: Neighbour, context: PolicyContext): boolean
  /** The bundle to hand to a neighbour next, if any; never one it has. */
  pick(neighbour: Neighbour, context: PolicyContext): HeldBundle | undefined
  /** Splits the copy budget of a bundle that is being handed over: what the neighbour gets, what stays. */
  split(copies: number): { readonly given: number; readonly kept: number }
  /** The copy of these to drop next, lower priorities before all others (ME5); `undefined` when there are none. */
  victim(among: Iterable<HeldBundle>, context: PolicyContext): HeldBundle | undefined
}
