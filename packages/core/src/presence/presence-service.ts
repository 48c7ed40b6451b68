/** Drives presence: announces, answers, refreshes, reaps; on shared topics and on channels to contacts. */
import { isSkeinError } from '../errors/index.ts'
import { inBackground } from '../in-background.ts'
import { type AccountId, deviceIdFromKey, deviceKey, type DeviceId } from '../ids.ts'
import type { Identity } from '../identity/index.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import type { Channel, Swarm, TopicVerdict } from '../ports/swarm.ts'
import { MAX_HEARD } from '../wire/limits.ts'
import { decodePresence, decodePresenceFrame, encodePresenceFrame, type PresenceFrameFields } from '../wire/presence.ts'
import type { SignedBytes } from '../wire/signed.ts'
import { Departed } from './departed.ts'
import {
  hear,
  type Heard,
  lately,
  type Present,
  type PresenceTable,
  MAX_LEASE_MS,
  reap,
  REFRESH_INTERVAL_MS,
  SETTLE_MS,
  touch,
} from './presence-table.ts'
import { Welcomes } from './welcomes.ts'
import { communityNetwork, networkKey, type NetworkId, openPresence, pairNetwork, presenceTopic, signPresence } from './statements.ts'

export const PRESENCE_PROTOCOL = '/skein/presence/1'
export type Visibility = 'everyone' | 'contacts' | 'nobody'
/** The table is looked over this often, so a peer is gone 45 to 46 s after its last sign of life. */
const REAP_EVERY_MS = 1_000
/** Members answer a newcomer spread over this long, and longer in a large room, so that the first answers spare the others theirs (PR2). */
const WELCOME_SPREAD_MS = { least: 400, perMember: 12, most: 4_000 }

export interface PresenceDeps {
  readonly identity: Identity
  readonly primitives: Primitives
  readonly swarm: Swarm
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  name(): string
  visibility(): Visibility
  isContact(device: DeviceId): boolean
  /** Device belongs to this account, as far as we know; strangers are taken at their word. */
  ownerOf(device: DeviceId): AccountId | undefined
  onArrived(present: Present): void
  onGone(present: Present): void
}

interface Scope {
  readonly network: NetworkId
  readonly key: string
  /** Hands a frame to everybody in this scope. */
  send(frame: PresenceFrameFields): Promise<void>
}

export class PresenceService {
  private readonly deps: PresenceDeps
  private readonly stopping = new AbortController()
  private readonly topics = new Map<DeviceId, () => void>()
  private readonly pairs = new Map<DeviceId, Scope & { readonly channel: Channel }>()
  private table: PresenceTable = new Map()
  private lastSignedAt = 0
  private lease = 0
  private readonly departed = new Departed()
  private readonly welcomes = new Welcomes()

  constructor(deps: PresenceDeps) {
    this.deps = deps
  }

  start(): void {
    void this.every(REAP_EVERY_MS, () => this.reapNow())
    void this.every(REFRESH_INTERVAL_MS, () => this.refresh())
  }

  stop(): void {
    this.stopping.abort()
    for (const leave of this.topics.values()) leave()
    for (const { channel } of this.pairs.values()) channel.close()
  }

  present(): readonly Present[] {
    return [...this.table.values()]
  }

  /** Wall clock of the last sign of life; null when not present. */
  lastSeen(device: DeviceId): number | null {
    const known = this.table.get(device)
    return known === undefined ? null : this.deps.clock.now() - (this.deps.clock.monotonic() - known.aliveAt)
  }

  isPresent(device: DeviceId): boolean {
    return this.table.has(device)
  }

  signOfLife(device: DeviceId): void {
    this.table = touch(this.table, device, this.deps.clock.monotonic())
  }

  /**
   * Asks to be missed only after this much silence, because timers are slowed down from now on, and says so at once (PR11).
   * @param lease milliseconds; 0 for the usual 45 s
   */
  async takeLease(lease: number): Promise<void> {
    if (this.lease === lease) return
    this.lease = lease
    await this.refresh()
  }

  /** Joins the community of a relay: listens at once, announces after settling. */
  async join(relay: DeviceId): Promise<void> {
    const scope = this.communityScope(relay)
    if (!this.topics.has(relay))
      this.topics.set(
        relay,
        this.deps.swarm.subscribe(presenceTopic(relay), (bytes) => this.onGossip(scope, bytes)),
      )
    if (!(await this.deps.clock.sleep(SETTLE_MS, { signal: this.stopping.signal }))) return
    if (this.deps.visibility() === 'everyone') await scope.send({ kind: 'presence', own: this.own(scope.network) })
  }

  /** Announces to a contact's device over a channel of its own; true while there is one. */
  async announceTo(device: DeviceId, relays: readonly string[]): Promise<boolean> {
    if (this.pairs.has(device)) return true
    const opened = await this.deps.swarm.open(device, PRESENCE_PROTOCOL, { relays, signal: this.stopping.signal })
    if (opened.kind === 'absent') return false
    inBackground(this.deps.logger, 'presence-work-failed', this.serve(opened.channel))
    if (!(await this.deps.clock.sleep(SETTLE_MS, { signal: this.stopping.signal }))) return false
    if (this.deps.visibility() !== 'nobody')
      await this.pairs.get(device)?.send({ kind: 'presence', own: this.own(this.pairNetworkOf(device)) })
    return true
  }

  /** Says nothing more to a device: its owner has been blocked. */
  leave(device: DeviceId): void {
    this.pairs.get(device)?.channel.close()
    this.pairs.delete(device)
  }

  /** Serves a channel of presence with a contact until it closes. */
  async serve(channel: Channel): Promise<void> {
    const { peer } = channel
    if (!this.deps.isContact(peer)) return channel.close()
    const network = this.pairNetworkOf(peer)
    const scope = {
      network,
      key: networkKey(network),
      channel,
      send: async (frame: PresenceFrameFields) => void (await channel.send(encodePresenceFrame(frame))),
    }
    this.pairs.set(peer, scope)
    for await (const bytes of channel.frames()) await this.onPairFrame(scope, bytes)
    if (this.pairs.get(peer) === scope) this.pairs.delete(peer)
  }

  private pairNetworkOf(device: DeviceId): NetworkId {
    return pairNetwork(this.deps.primitives, this.deps.identity.device, device)
  }

  private communityScope(relay: DeviceId): Scope {
    const network = communityNetwork(this.deps.primitives, relay)
    const topic = presenceTopic(relay)
    return { network, key: networkKey(network), send: (frame) => this.deps.swarm.publish(topic, encodePresenceFrame(frame)) }
  }

  private own(network: NetworkId): SignedBytes {
    // Strictly rising even when the wall clock goes back.
    this.lastSignedAt = Math.max(this.deps.clock.now(), this.lastSignedAt + 1)
    const { lease, lastSignedAt: at } = this
    return signPresence(this.deps.primitives, this.deps.identity, { network, at, name: this.deps.name(), lease })
  }

  private async onGossip(scope: Scope, bytes: Uint8Array): Promise<TopicVerdict> {
    try {
      const frame = decodePresenceFrame(bytes)
      if (this.hearOne(scope, { signed: frame.own, age: 0 }) === 'replayed') return 'ignore'
      if (frame.kind === 'welcome') this.countWelcome(frame)
      if (frame.kind !== 'presence') for (const heard of frame.heard) this.hearOne(scope, heard)
      else if (this.deps.visibility() === 'everyone')
        this.welcomeLater(scope, frame.own).catch((error: unknown) => this.deps.logger.error('welcome-failed', { reason: String(error) }))
      return 'accept'
    } catch (error) {
      this.deps.logger.debug('presence-refused', { code: isSkeinError(error) ? error.code : 'BAD_FRAME' })
      // A clock that is off is no offence; a bad signature or a broken frame is.
      return isSkeinError(error, 'REPLAYED') ? 'ignore' : 'reject'
    }
  }

  private async onPairFrame(scope: Scope & { readonly channel: Channel }, bytes: Uint8Array): Promise<void> {
    const { peer } = scope.channel
    try {
      const frame = decodePresenceFrame(bytes)
      this.take({ ...openPresence(this.deps.primitives, frame.own, { network: scope.network, now: null, from: peer }), age: 0 })
      if (frame.kind !== 'presence' || this.deps.visibility() === 'nobody') return
      await scope.send({ kind: 'welcome', own: this.own(scope.network), to: deviceKey(peer), heard: [] })
    } catch (error) {
      const code = isSkeinError(error) ? error.code : 'BAD_FRAME'
      this.deps.logger.warn('presence-refused', { code })
      this.deps.swarm.penalise(peer, code)
    }
  }

  /** Verifies and takes one presence. @throws SkeinError */
  private hearOne(scope: Scope, { signed, age }: { signed: SignedBytes; age: number }): string {
    if (this.isOld(signed)) return 'replayed'
    const heard = openPresence(this.deps.primitives, signed, { network: scope.network, now: this.deps.clock.now() })
    if (heard.device === this.deps.identity.device) return 'own'
    return this.take({ ...heard, age: Math.min(age, MAX_LEASE_MS) })
  }

  /** Nothing new in it, whether it is genuine or not: most of what members repeat to each other. Spares the signature. */
  private isOld({ statement }: SignedBytes): boolean {
    const { deviceKey: key, at } = decodePresence(statement)
    const device = deviceIdFromKey(key)
    const known = this.table.get(device)
    // A recording of who has gone must not bring it back.
    return known === undefined ? this.departed.knew(device, at) : at <= known.signedAt
  }

  private take(said: Omit<Heard, 'contact'>): string {
    const heard = { ...said, contact: this.deps.isContact(said.device) }
    const owner = this.deps.ownerOf(heard.device)
    if (owner !== undefined && owner !== heard.account) return 'replayed'
    const { table, outcome } = hear(this.table, heard, this.deps.clock.monotonic())
    this.table = table
    const present = table.get(heard.device)
    if (outcome === 'arrived' && present !== undefined) this.deps.onArrived(present)
    return outcome
  }

  /** Notes a WELCOME that tells its newcomer of us. Unverified: who forges one delays our greeting until the next REFRESH. */
  private countWelcome({ to, heard }: Extract<PresenceFrameFields, { kind: 'welcome' }>): void {
    const own = this.deps.identity.deviceKey
    const tellsOfUs = heard.some(({ signed }) => decodePresence(signed.statement).deviceKey.every((byte, at) => own[at] === byte))
    if (tellsOfUs) this.welcomes.count(deviceIdFromKey(to))
  }

  /** WELCOME with all we know, after a random wait, unless others have said enough. */
  private async welcomeLater(scope: Scope, newcomer: SignedBytes): Promise<void> {
    const { device } = openPresence(this.deps.primitives, newcomer, { network: scope.network, now: null })
    const to = deviceKey(device)
    this.welcomes.begin(device)
    const { least, perMember, most } = WELCOME_SPREAD_MS
    const spread = Math.min(most, Math.max(least, this.table.size * perMember))
    if (!(await this.deps.clock.sleep(this.deps.random.uniform() * spread, { signal: this.stopping.signal }))) return
    if (!this.table.has(device) || this.welcomes.isTold(device)) return
    await scope.send({ kind: 'welcome', own: this.own(scope.network), to, heard: this.heardLately(scope) })
  }

  private heardLately(scope: Scope): readonly { signed: SignedBytes; age: number }[] {
    return lately(this.table, scope.key, { now: this.deps.clock.monotonic(), most: MAX_HEARD })
  }

  private async refresh(): Promise<void> {
    const visibility = this.deps.visibility()
    if (visibility === 'nobody') return
    for (const scope of this.pairs.values()) await scope.send({ kind: 'refresh', own: this.own(scope.network), heard: [] })
    if (visibility !== 'everyone') return
    for (const relay of this.topics.keys()) {
      const scope = this.communityScope(relay)
      await scope.send({ kind: 'refresh', own: this.own(scope.network), heard: this.heardLately(scope) })
    }
  }

  private async reapNow(): Promise<void> {
    const { table, gone } = reap(this.table, this.deps.clock.monotonic())
    this.table = table
    for (const present of gone) {
      this.departed.add(present, this.deps.clock.monotonic())
      this.deps.onGone(present)
    }
  }

  private async every(interval: number, work: () => Promise<void>): Promise<void> {
    while (await this.deps.clock.sleep(interval, { signal: this.stopping.signal })) {
      await work().catch((error: unknown) => this.deps.logger.error('presence-work-failed', { reason: String(error) }))
    }
  }
}
