/**
 * A node of the mesh at work: hands envelopes to neighbours and takes theirs, over whatever links it is given. It looks for
 * a live route first and lets carriers have what finds none; proofs of delivery come back by either way.
 */
import { decodeEnvelope } from '../../wire/sealed.ts'
import { decodeBundle, type NeighbourFrameFields } from '../../wire/mesh-bundle.ts'
import { isChunk, type MeshAddress, meshAddress } from '../bundle.ts'
import { type Cure, cureLock } from '../cure-book.ts'
import type { Link } from '../links/index.ts'
import { MeshNode } from '../mesh-node.ts'
import type { LinkId } from '../neighbour.ts'
import { carryingPolicy } from '../policies/index.ts'
import { type Dispatch, RouteNode } from '../routes/index.ts'
import { Allowances } from './allowances.ts'
import { ArchivedStore } from './archived-store.ts'
import { Explorer } from './explorer.ts'
import { ClockDoubt } from './clock-doubt.ts'
import type { EnvelopeToCarry, MeshServiceDeps } from './mesh-service-deps.ts'
import { NeighbourSession } from './neighbour-session.ts'
import { Opener } from './opener.ts'
import { OwnBundles } from './own-bundles.ts'
import { OwnFates } from './own-fates.ts'
import { type ChunkToCarry, OwnSender } from './own-sender.ts'
import { Packing } from './packing.ts'
import { PieceInbox } from './piece-inbox.ts'
import { makePlace } from './places.ts'
import { Spreader } from './spreader.ts'
import { type MeshStatus, statusOf } from './status.ts'
import { Survival } from './survival.ts'
import { Transfers } from './transfers.ts'
import { verdictOf } from './verdict.ts'

/** Room for bundles of others and of ours, in bytes (ME20). */
const CAPACITY_BYTES = 64 * 1_048_576
const TICK_MS = 100
/** A sign of life goes to a neighbour that has been told nothing for so long (ME26); after three that are missing it is in doubt. */
const ALIVE_EVERY_MS = 3_000
const SILENT_MS = 10_000
/** While something is waited for that was announced. */
const PULL_TICK_MS = 20
/** Both sides compare again what they hold, in milliseconds (ME7). */
const COMPARE_EVERY_MS = 15_000
const EXPIRE_EVERY_MS = 60_000
/** Tags change at midnight; nobody waits longer than this for the new ones, in milliseconds. */
const READDRESS_EVERY_MS = 300_000

export class MeshService {
  private readonly deps: MeshServiceDeps
  private readonly addresses = new Set<MeshAddress>()
  private readonly allowances: Allowances
  private readonly store: ArchivedStore
  private readonly node: MeshNode
  private readonly routes: RouteNode
  private readonly own = new OwnBundles()
  private readonly clocks: ClockDoubt
  private readonly survival = new Survival()
  private readonly spreader: Spreader
  private readonly pieces: PieceInbox | undefined
  private readonly sessions = new Map<string, NeighbourSession>()
  private readonly opener: Opener
  private readonly transfers: Transfers
  private readonly sender: OwnSender
  private readonly fates: OwnFates
  private readonly explorer: Explorer
  private readonly stopping = new AbortController()
  private count = 0
  private ready = false
  private pulling = false

  constructor(deps: MeshServiceDeps) {
    this.deps = deps
    const { primitives, random, capacityBytes = CAPACITY_BYTES, policy = 'adaptive' } = deps
    this.allowances = new Allowances(deps.clock)
    this.clocks = new ClockDoubt(deps)
    this.spreader = new Spreader(deps.pieces, deps)
    this.store = new ArchivedStore(capacityBytes, (key) => void this.quietly(deps.archive.remove(key)))
    this.node = new MeshNode({
      addresses: this.addresses,
      store: this.store,
      policy: carryingPolicy(policy),
      random,
      primitives,
      proven: (cures) => this.proven(cures),
      isOwn: (lock) => this.holds(lock),
      isIncoming: (key) => this.transfers.isIncoming(key),
      send: (link, frame) => this.sessions.get(link)?.say({ kind: 'control', frame }),
      useless: (link, weight) => this.sessions.get(link)?.useless(weight),
    })
    this.routes = new RouteNode({
      ...{ addresses: this.addresses, primitives, random },
      send: (link, frame) => this.sessions.get(link)?.say({ kind: 'route', frame }, { mayBeLost: true }),
      verdict: (dispatch, from) => {
        const { addresses, clocks, now } = this
        return verdictOf(dispatch, { primitives, addresses, clocks, now, peer: this.peerOf(from) })
      },
      useless: (link) => this.sessions.get(link)?.useless(),
      useful: (link) => this.sessions.get(link)?.useful(),
      isHeld: (key) => this.node.knows(key),
      costOf: (link) => this.sessions.get(link)?.link.cost ?? 0,
      isShared: (link) => this.sessions.get(link)?.link.isShared ?? false,
      mayFlood: (from, bytes) => this.allowances.mayFlood(this.peerOf(from), bytes),
      arrived: (dispatch, from) => this.arrived(dispatch, from),
      proven: (cureKey) => this.receipt(cureKey),
      delivered: () => undefined,
      stranded: (key) => this.sender.stranded(key),
      isChunk: ({ payload }) => isChunk(decodeBundle(payload)),
    })
    this.pieces = deps.pieces && new PieceInbox(deps.pieces, (key) => this.node.disown(key))
    this.opener = new Opener({ ...deps, pieces: this.pieces, onJoined: (lock, cureKey) => this.routes.openedBehind(lock, cureKey) })
    this.explorer = new Explorer({
      ...deps,
      store: this.store,
      node: this.node,
      routes: this.routes,
      isOpen: ({ id }) => this.sessions.has(id),
    })
    this.transfers = new Transfers({
      ...deps,
      addresses: this.addresses,
      store: this.store,
      node: this.node,
      opener: this.opener,
      clocks: this.clocks,
      onTaken: ({ key }) => this.fates.taken(key),
      quietly: (work) => this.quietly(work),
    })
    this.fates = new OwnFates({ ...deps, own: this.own, node: this.node, survival: this.survival })
    this.sender = new OwnSender({
      ...{ ...deps, own: this.own, store: this.store, node: this.node, routes: this.routes, spreader: this.spreader },
      isNear: () => this.isNear,
      carriers: () => this.neighbourCount,
      survival: () => this.survival.share,
      onHeld: (lock) => deps.onChunk?.(lock, 'held'),
      onLost: (own) => this.fates.lost(own),
      quietly: (work) => this.quietly(work),
    })
  }

  /** Takes up what an earlier run left, and begins to keep time. @throws SkeinError STORE_CORRUPT */
  async start(): Promise<void> {
    await this.load()
    await this.readdress()
    this.ready = true
    void this.run()
  }

  /** Closes all links. Idempotent. */
  stop(): void {
    this.stopping.abort()
    for (const session of this.sessions.values()) session.close()
  }

  /** Whether anybody of the mesh is near. */
  get isNear(): boolean {
    return this.sessions.size > 0
  }

  get neighbourCount(): number {
    return this.sessions.size
  }

  hasNeighbour(peer: string): boolean {
    return [...this.sessions.values()].some((session) => session.peer === peer)
  }

  /** Makes the other end of a link a neighbour until the link ends; one link for each, and not too many. */
  async attach(peer: string, link: Link): Promise<void> {
    if (!this.mayAttach(peer)) return link.close()
    this.count += 1
    const id = `${this.count}`
    const session = new NeighbourSession({
      id,
      peer,
      link,
      clock: this.deps.clock,
      allowances: this.allowances,
      events: {
        onFrame: (from, frame) => this.frame(from, frame),
        onOffence: (from, code) => this.deps.onOffence(from.peer, code),
      },
    })
    try {
      this.greet(session)
      await session.run()
    } finally {
      this.detach(session)
    }
  }

  private mayAttach(peer: string): boolean {
    const isOpen = this.ready && !this.stopping.signal.aborted && !this.hasNeighbour(peer)
    const isContact = this.deps.isContact ?? (() => false)
    return isOpen && this.allowances.mayAttach(peer) && makePlace(peer, [...this.sessions.values()], { isContact, now: this.mono })
  }

  private greet(session: NeighbourSession): void {
    const { id, peer, link } = session
    this.sessions.set(id, session)
    this.node.linkUp({ link: id, peer, bandwidth: link.bandwidth }, this.now)
    this.routes.linkUp(id, { peer, now: this.mono })
    this.own.hurry(this.mono, this.store)
    this.deps.onNear()
    void this.quietly(this.explorer.explore(session))
  }

  /** Neighbours from whom nothing has come for longer than they would be silent by themselves. */
  silent(): readonly string[] {
    const since = this.mono - SILENT_MS
    return [...this.sessions.values()].filter(({ heardAt }) => heardAt < since).map(({ peer }) => peer)
  }

  /** Sends an envelope by the mesh; the same cure key twice is the same message. @returns false when there is no room for it now */
  carry({ envelope, cureKey }: EnvelopeToCarry): boolean {
    const { deliveryTag, expiryHour } = decodeEnvelope(envelope)
    return this.ready && this.sender.carry({ kind: 'envelope', deliveryTag, priority: 1, sealed: envelope }, cureKey, expiryHour)
  }

  /** Sends part of a file. @returns as OwnSender.carryChunk */
  carryChunk(chunk: ChunkToCarry): string | undefined {
    return this.ready ? this.sender.carryChunk(chunk, this.hasRoute(chunk.deliveryTag)) : undefined
  }

  /** Whether a way to the owner of this tag is known that works. */
  hasRoute(tag: Uint8Array): boolean {
    return this.routes.leadsTo(meshAddress(tag, this.deps.primitives), this.mono)
  }

  /** The recipient has the message by another way: what is carried of it is dropped everywhere. */
  withdraw(cureKey: Uint8Array): void {
    this.fates.withdraw(cureKey)
  }

  /** Whether a bundle made here lies behind this lock. */
  holds(lock: string): boolean {
    return this.own.locked(lock).length > 0
  }

  /** Whether one bundle more may be carried. */
  get hasRoom(): boolean {
    return this.ready && !this.own.isFull
  }

  /** Our tags have changed: neighbours learn the new ones. */
  async readdress(): Promise<void> {
    const tags = await this.deps.tags()
    const now = new Set(tags.map((tag) => meshAddress(tag, this.deps.primitives)))
    if (this.addresses.size === now.size && [...this.addresses].every((each) => now.has(each))) return
    this.addresses.clear()
    for (const address of now) this.addresses.add(address)
    this.node.readdress()
  }

  /** For files that go by hand; also where nobody is near. */
  get packing(): Packing {
    const prepare = async (): Promise<void> => {
      await this.deps.offerAll?.()
      await this.sender.holdAll()
    }
    return new Packing({ ...this.deps, store: this.store, transfers: this.transfers, prepare })
  }

  status(): MeshStatus {
    const { store, routes } = this
    const sessions = [...this.sessions.values()]
    const pieces = { ...this.spreader.counts, joined: this.pieces?.joined ?? 0, survival: this.survival.share }
    return statusOf({
      sessions,
      store,
      routes,
      pieces,
      own: (key) => this.own.get(key) !== undefined,
      now: this.now,
      mono: this.mono,
      clocks: this.clocks,
    })
  }

  private get now(): number {
    return this.deps.clock.now()
  }

  private get mono(): number {
    return this.deps.clock.monotonic()
  }

  private async load(): Promise<void> {
    const { archive } = this.deps
    for (const held of await this.store.load(archive)) if (held.hops === 0) this.own.add(held, undefined)
    await archive.pruneCures(this.now)
    for (const { key, expiresAt } of await archive.cures()) this.node.cure(key, expiresAt, this.now)
    this.node.expire(this.now)
  }

  private async run(): Promise<void> {
    const { clock } = this.deps
    const due = { compare: COMPARE_EVERY_MS, expire: EXPIRE_EVERY_MS, readdress: READDRESS_EVERY_MS }
    for (let left = { ...due }; await clock.sleep(TICK_MS, { signal: this.stopping.signal }); ) {
      left = { compare: left.compare - TICK_MS, expire: left.expire - TICK_MS, readdress: left.readdress - TICK_MS }
      this.tick()
      if (left.compare <= 0) this.compareAgain()
      if (left.expire <= 0) this.expire()
      if (left.readdress <= 0) void this.quietly(this.readdress())
      for (const name of ['compare', 'expire', 'readdress'] as const) if (left[name] <= 0) left[name] = due[name]
    }
  }

  /** Asks soon for what was announced and does not come. */
  private async pull(): Promise<void> {
    this.pulling = true
    while (this.routes.isWaiting && (await this.deps.clock.sleep(PULL_TICK_MS, { signal: this.stopping.signal })))
      this.routes.tick(this.mono)
    this.pulling = false
  }

  private tick(): void {
    this.routes.tick(this.mono)
    if (!this.isNear) return
    for (const own of this.own.due(this.mono)) void this.quietly(this.sender.advance(own))
    for (const session of [...this.sessions.values()]) {
      if (this.mono - session.saidAt >= ALIVE_EVERY_MS) session.say({ kind: 'alive' }, { mayBeLost: true })
      if (session.transfer === undefined) this.transfers.offerNext(session)
      else this.transfers.hurry(session)
    }
    this.transfers.parts.hurry()
  }

  private compareAgain(): void {
    this.node.compareAgain(this.now)
    for (const session of this.sessions.values()) {
      this.node.forgive(session.id)
      session.idle = undefined
    }
  }

  private peerOf(link: LinkId): string {
    return this.sessions.get(link)?.peer ?? ''
  }

  private expire(): void {
    this.node.expire(this.now)
    this.transfers.parts.expire()
    void this.quietly(this.deps.archive.pruneCures(this.now))
    this.fates.expire()
  }

  private detach(session: NeighbourSession): void {
    this.sessions.delete(session.id)
    this.transfers.end(session)
    this.transfers.parts.end(session.id)
    this.routes.linkDown(session.id, this.mono)
    this.node.linkDown(session.id, this.now)
    session.close()
  }

  private frame(session: NeighbourSession, frame: NeighbourFrameFields): void {
    if (frame.kind === 'alive') return
    if (frame.kind === 'transfer') void this.quietly(this.transfers.take(session, frame.transfer))
    if (frame.kind === 'offer') this.transfers.parts.offered(session, frame.offer)
    if (frame.kind === 'part') this.transfers.parts.part(session, frame.part)
    if (frame.kind === 'answer') this.transfers.answered(session, frame)
    if (frame.kind === 'route') {
      this.routes.frame(session.id, frame.frame, this.mono)
      if (this.routes.isWaiting && !this.pulling) void this.pull()
    }
    if (frame.kind === 'control') {
      this.node.control(session.id, frame.frame, this.now)
      this.transfers.offerAfterWord(session)
    }
  }

  private arrived({ key, lock, payload }: Dispatch, from: LinkId): Uint8Array | undefined {
    const known = this.opener.known(lock)
    if (known !== undefined) return known
    const source = this.peerOf(from)
    void this.quietly(
      this.opener.open({ lock, key, bundle: payload, source }).then(({ cureKey }) => cureKey && this.routes.opened(key, cureKey)),
    )
    return undefined
  }

  /** A receipt has come by on a route: what is carried of that bundle goes. */
  private receipt(cureKey: Uint8Array): void {
    const lock = cureLock(cureKey, this.deps.primitives)
    const [held] = this.store.locked(lock)
    if (held !== undefined) this.node.cure(cureKey, held.expiresAt, this.now)
    else this.fates.proven(lock)
  }

  private proven(cures: readonly Cure[]): void {
    if (this.ready) void this.quietly(this.deps.archive.putCures(cures.map(({ key, expiresAt }) => ({ key, expiresAt }))))
    for (const { lock } of cures) this.fates.proven(lock)
  }

  /** What fails here fails for one bundle; it is tried again or comes by another way. */
  private async quietly(work: Promise<unknown>): Promise<void> {
    await work.catch((error: unknown) => {
      if (!this.stopping.signal.aborted) this.deps.logger.warn('mesh-work-failed', { reason: String(error) })
    })
  }
}
