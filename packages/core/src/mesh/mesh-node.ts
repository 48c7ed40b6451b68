/**
 * One node of the mesh as a state machine: told of links, frames, finished transfers and the time, it says what goes over
 * which link next. It moves no bytes and knows no clock; a driver does both.
 */
import type { Random } from '../ports/index.ts'
import { decodeMeshControl } from '../wire/mesh.ts'
import type { BundleHeader, BundleKey, Handover, HeldBundle, MeshAddress } from './bundle.ts'
import { isRelayable, MAX_HOPS } from './bundle.ts'
import type { BundleStore } from './bundle-store.ts'
import { controlFrames } from './control.ts'
import { lacks, type LinkId, type LinkInfo, type Neighbour } from './neighbour.ts'
import type { CarryingPolicy, PolicyContext } from './policies/index.ts'

export interface MeshNodeOptions {
  /** Addresses of the tags this node collects. */
  readonly addresses: ReadonlySet<MeshAddress>
  readonly store: BundleStore
  readonly policy: CarryingPolicy
  readonly random: Random
  /** Puts a control frame on a link. */
  send(link: LinkId, frame: Uint8Array): void
}

/** A bundle and the link it is to go over. */
export interface Choice {
  readonly link: LinkId
  readonly bundle: HeldBundle
}

/** What a receiver says to an offer; `offset` bytes of it are here already. */
export type Admission = { readonly kind: 'welcome'; readonly offset: number } | { readonly kind: 'known' | 'cured' | 'late' | 'no-room' }

export class MeshNode {
  private readonly options: MeshNodeOptions
  private readonly neighbours = new Map<LinkId, Neighbour>()
  /** Keys of bundles that came for this node, with the time after which they may be forgotten. */
  private readonly collected = new Map<BundleKey, number>()
  private readonly sending = new Set<BundleKey>()
  private ordered = 0

  constructor(options: MeshNodeOptions) {
    this.options = options
  }

  /** Takes up a bundle made here; others make room for it whatever they are. */
  originate(header: BundleHeader, now: number): void {
    this.makeRoom(header, now)
    this.keep({ ...header, receivedAt: now, hops: 0, hopLimit: MAX_HOPS, copies: this.options.policy.initialCopies })
  }

  linkUp(info: LinkInfo, now: number): void {
    const neighbour = { ...info, order: this.ordered++, since: now, addresses: new Set<MeshAddress>() }
    this.neighbours.set(info.link, { ...neighbour, has: new Set(), refused: new Set(), prospects: new Map() })
  }

  /** Says who this node is and what it holds; once per link, when it is up. */
  greet(link: LinkId, now: number): void {
    this.say(link, {
      addresses: [...this.options.addresses],
      gained: [...this.keys()],
      prospects: [...this.options.policy.prospects(this.context(now))].map(([address, value]) => ({ address, value })),
    })
  }

  linkDown(link: LinkId): void {
    this.neighbours.delete(link)
  }

  /** Reads a control frame. @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
  control(link: LinkId, frame: Uint8Array, now: number): void {
    const said = decodeMeshControl(frame)
    const neighbour = this.neighbours.get(link)
    if (neighbour === undefined) return
    neighbour.refused.clear()
    for (const key of said.gained) neighbour.has.add(key as BundleKey)
    for (const key of said.lost) neighbour.has.delete(key as BundleKey)
    for (const address of said.addresses) neighbour.addresses.add(address as MeshAddress)
    for (const { address, value } of said.prospects) neighbour.prospects.set(address as MeshAddress, value)
    if (said.addresses.length > 0) this.options.policy.met(neighbour, this.context(now))
  }

  /** A bundle for the node at the other end of one of `links`, the longest-lived link first. */
  deliverable(links: readonly LinkId[], now: number): Choice | undefined {
    for (const neighbour of this.served(links)) {
      if (neighbour.addresses.size === 0) continue
      for (const bundle of this.options.store.all())
        if (neighbour.addresses.has(bundle.address) && lacks(neighbour, bundle) && bundle.expiresAt > now)
          return { link: neighbour.link, bundle }
    }
    return undefined
  }

  /** A bundle that the policy wants carried by a neighbour on one of `links`. */
  carriable(links: readonly LinkId[], now: number): Choice | undefined {
    const context = this.context(now)
    for (const neighbour of this.served(links)) {
      const bundle = this.options.policy.pick(neighbour, context)
      if (bundle !== undefined) return { link: neighbour.link, bundle }
    }
    return undefined
  }

  /** Whether a bundle may come; makes room for it if it may. */
  admit(header: BundleHeader, now: number): Admission {
    if (this.options.store.has(header.key) || this.collected.has(header.key)) return { kind: 'known' }
    const mine = this.options.addresses.has(header.address)
    if (mine ? header.expiresAt <= now : !isRelayable(header, now)) return { kind: 'late' }
    return this.makeRoom(header, now) ? { kind: 'welcome', offset: 0 } : { kind: 'no-room' }
  }

  /** The neighbour does not want what was offered. */
  refused({ link, bundle }: Choice, why: Admission['kind']): void {
    const neighbour = this.neighbours.get(link)
    if (why === 'known' || why === 'cured') neighbour?.has.add(bundle.key)
    else neighbour?.refused.add(bundle.key)
  }

  /** A transfer from here begins: the copy stays until it has ended. */
  began({ bundle }: Choice): void {
    this.sending.add(bundle.key)
  }

  /** A transfer from here has broken off. */
  broken({ bundle }: Choice): void {
    this.sending.delete(bundle.key)
  }

  /** A transfer from here is complete: what the neighbour got. */
  finished({ link, bundle }: Choice): Handover {
    this.sending.delete(bundle.key)
    const neighbour = this.neighbours.get(link)
    neighbour?.has.add(bundle.key)
    const { given, kept } = this.options.policy.split(bundle.copies)
    bundle.copies = kept
    return { header: bundle, hops: bundle.hops + 1, hopLimit: bundle.hopLimit - 1, copies: given }
  }

  /** A bundle has come in whole; returns whether it was for this node. */
  received(handover: Handover, from: LinkId, now: number): boolean {
    const { header } = handover
    this.neighbours.get(from)?.has.add(header.key)
    const mine = this.options.addresses.has(header.address)
    if (mine) this.collected.set(header.key, header.expiresAt)
    else {
      const { hops, copies } = handover
      this.keep({ ...plain(header), receivedAt: now, hops, hopLimit: Math.min(handover.hopLimit, MAX_HOPS), copies }, from)
    }
    if (mine) this.announce({ gained: [header.key] }, from)
    return mine
  }

  /** A transfer to here has broken off after `bytes` bytes. */
  partial(_header: BundleHeader, _bytes: number, _now: number): void {}

  /** This node has opened a bundle that came for it, and found the key of its cure lock. */
  cure(_key: Uint8Array, _expiresAt: number, _now: number): void {}

  /** Drops what has expired; at most once a minute is enough, and not while sending. */
  expire(now: number): void {
    if (this.sending.size > 0) return
    for (const held of this.options.store.all()) if (!isRelayable(held, now)) this.options.store.remove(held.key)
    for (const [key, until] of this.collected) if (until <= now) this.collected.delete(key)
  }

  private makeRoom(header: BundleHeader, now: number): boolean {
    const { store, policy } = this.options
    if (header.bytes > store.capacityBytes) return false
    while (store.usedBytes + header.bytes > store.capacityBytes) {
      const victim = policy.victim(header, this.sending, this.context(now))
      if (victim === undefined) return false
      store.remove(victim.key)
      this.announce({ lost: [victim.key] })
    }
    return true
  }

  private keep(held: HeldBundle, from?: LinkId): void {
    this.options.store.put(held)
    this.announce({ gained: [held.key] }, from)
  }

  private announce(said: { gained?: BundleKey[]; lost?: BundleKey[] }, except?: LinkId): void {
    for (const link of this.neighbours.keys()) if (link !== except) this.say(link, said)
  }

  private say(link: LinkId, said: Parameters<typeof controlFrames>[0]): void {
    for (const frame of controlFrames(said)) this.options.send(link, frame)
  }

  private *keys(): Iterable<BundleKey> {
    for (const { key } of this.options.store.all()) yield key
    yield* this.collected.keys()
  }

  private served(links: readonly LinkId[]): Neighbour[] {
    const neighbours = links.map((link) => this.neighbours.get(link)).filter((each) => each !== undefined)
    return neighbours.sort((a, b) => a.order - b.order)
  }

  private context(now: number): PolicyContext {
    return { now, store: this.options.store, random: this.options.random }
  }
}

function plain({ id, key, address, lock, expiresAt, priority, bytes }: BundleHeader): BundleHeader {
  return { id, key, address, lock, expiresAt, priority, bytes }
}
