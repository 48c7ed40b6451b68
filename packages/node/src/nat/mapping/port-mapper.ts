/** Keeps a port of the router open for this machine: asked for when it starts and when the network changes, renewed in time, given back. */
import type { Clock, Logger } from '@skein/core'
import { isIPv4 } from 'node:net'
import ipaddr from 'ipaddr.js'
import { LIFETIME_S, type MappingTarget, type MappingWay, type OutsidePort, type WayOut } from './way.ts'

/** For all ways together, ms. */
const WITHIN_MS = 12_000
/** When a stop must be over, ms: the mapping runs out by itself then. */
const GIVE_BACK_WITHIN_MS = 1_500
/** Before a router that opened nothing is asked again, ms, by how often it has been since the network changed; the last one stays. */
const AGAIN_AFTER_MS = [20_000, 120_000, 900_000] as const
/** Before a port that is ours for ever is looked after, ms: the router may have started anew. */
const LOOK_AFTER_MS = 900_000
/** Shortest time to the next renewal, ms, whatever the router says. */
const LEAST_RENEWAL_MS = 60_000
/** After a change of the network, until its routes are there, ms. */
const SETTLE_MS = 500

export interface PortMapping {
  /** Outside, as others dial it. */
  readonly host: string
  readonly port: number
  readonly by: MappingWay['name']
  readonly internalHost: string
  readonly internalPort: number
}

export type MappingState =
  | { readonly kind: 'mapped'; readonly mapping: PortMapping }
  /** `public`: there is nothing to open. `none`: nobody opens a port, or there is none to open one for. `nested`: it has no public address itself. */
  | { readonly kind: 'looking' | 'public' | 'no-router' | 'none' | 'nested' | 'refused' | 'off' }

export interface PortMapperDeps {
  readonly clock: Clock
  readonly logger: Logger
  /** In the order in which they are tried. */
  readonly ways: readonly MappingWay[]
  /** The router that leads out; nothing without one. */
  wayOut(): Promise<WayOut | undefined>
  /** TCP port that this machine listens on; 0 for none. */
  port(): number
  /** Public addresses of this machine itself. */
  ownPublicHosts(): readonly string[]
  /** There is another mapping than before, or none. */
  onMapping(mapping: PortMapping | undefined): void
}

interface Held {
  readonly way: MappingWay
  readonly target: Omit<MappingTarget, 'signal'>
  readonly outside: OutsidePort
}

export class PortMapper {
  private readonly deps: PortMapperDeps
  private resting = new AbortController()
  private held: Held | undefined
  /** Until when the router holds it whether it answers or not, by the monotonic clock. */
  private heldUntil = 0
  private misses = 0
  private known: MappingState = { kind: 'looking' }

  constructor(deps: PortMapperDeps) {
    this.deps = deps
  }

  state(): MappingState {
    return this.known
  }

  /** The network has changed: asks anew. */
  renew(): void {
    this.misses = 0
    this.heldUntil = 0
    this.resting.abort()
  }

  /** Until `stopping`; the port has been given back when it resolves, if the router answers. Never rejects. */
  async run(stopping: AbortSignal): Promise<void> {
    const { clock } = this.deps
    while (!stopping.aborted) {
      this.resting = new AbortController()
      const wait = await this.lookOnce(stopping)
      const isDue = await clock.sleep(wait, { signal: AbortSignal.any([stopping, this.resting.signal]) })
      if (!isDue) await clock.sleep(SETTLE_MS, { signal: stopping })
    }
    await this.giveBack()
  }

  /** @returns how long what was found holds, ms */
  private async lookOnce(stopping: AbortSignal): Promise<number> {
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(WITHIN_MS)])
    try {
      const before = this.held
      this.take(await this.look(signal))
      if (this.held === undefined || this.held === before) return this.waitAfterMiss()
      this.heldUntil = this.deps.clock.monotonic() + lifetimeOf(this.held.outside)
      return renewalOf(this.held.outside)
    } catch (error) {
      this.deps.logger.debug('no-port-mapped', { reason: String(error) })
      this.take({ kind: 'refused' })
      return this.waitAfterMiss()
    }
  }

  private waitAfterMiss(): number {
    const wait = AGAIN_AFTER_MS[this.misses] ?? AGAIN_AFTER_MS.at(-1) ?? LOOK_AFTER_MS
    this.misses += 1
    return wait
  }

  private async look(signal: AbortSignal): Promise<Held | Exclude<MappingState, { kind: 'mapped' }>> {
    const { wayOut, port, ownPublicHosts } = this.deps
    if (ownPublicHosts().some((each) => !each.includes(':'))) return { kind: 'public' }
    if (port() === 0) return { kind: 'none' }
    const way = await wayOut()
    if (way === undefined) return { kind: 'no-router' }
    const target = { ...way, port: port(), wanted: this.held?.outside.port ?? port() }
    const held = await this.firstOf(target, signal)
    if (held === undefined) return this.stillHeld(target) ?? { kind: 'none' }
    if (isUsable(held.outside)) return held
    await held.way.unmap({ ...target, signal }, held.outside).catch(() => undefined)
    return { kind: 'nested' }
  }

  /** A router that has not answered once has not forgotten what it holds; it is asked again soon. */
  private stillHeld({ gateway, host, port }: Held['target']): Held | undefined {
    const { held } = this
    const isSame = held?.target.gateway === gateway && held.target.host === host && held.target.port === port
    return isSame && this.deps.clock.monotonic() < this.heldUntil ? held : undefined
  }

  /** @throws Error when no way leads to a port, and the router has said so by one of them */
  private async firstOf(target: Held['target'], signal: AbortSignal): Promise<Held | undefined> {
    const refusals: unknown[] = []
    for (const way of this.deps.ways) {
      const outside = await way.map({ ...target, signal }).catch((error: unknown) => {
        refusals.push(error)
        return undefined
      })
      if (outside !== undefined) return { way, target, outside }
    }
    if (refusals.length > 0) throw new AggregateError(refusals, refusals.map(String).join('; '))
    return undefined
  }

  private take(found: Held | Exclude<MappingState, { kind: 'mapped' }>): void {
    const before = this.known.kind === 'mapped' ? this.known.mapping : undefined
    this.held = 'way' in found ? found : undefined
    this.known = 'way' in found ? { kind: 'mapped', mapping: mappingOf(found) } : found
    const now = this.known.kind === 'mapped' ? this.known.mapping : undefined
    this.deps.logger.debug('port-mapping', { state: this.known.kind, by: now?.by })
    if (JSON.stringify(before) === JSON.stringify(now)) return
    this.deps.onMapping(now)
  }

  private async giveBack(): Promise<void> {
    if (this.held === undefined) return
    const { way, target, outside } = this.held
    this.held = undefined
    await way.unmap({ ...target, signal: AbortSignal.timeout(GIVE_BACK_WITHIN_MS) }, outside).catch(() => undefined)
  }
}

function mappingOf({ way, target, outside }: Held): PortMapping {
  return { host: outside.host, port: outside.port, by: way.name, internalHost: target.host, internalPort: target.port }
}

/** Half of the time that is left (RFC 6887 §11.2.1, RFC 6886 §3.3). */
function renewalOf(outside: OutsidePort): number {
  return outside.lifetimeS === 0 ? LOOK_AFTER_MS : Math.max(LEAST_RENEWAL_MS, lifetimeOf(outside) / 2)
}

/** What was asked for if the router gives more, or for ever: it may start anew. Milliseconds. */
function lifetimeOf({ lifetimeS }: OutsidePort): number {
  return Math.min(lifetimeS || LIFETIME_S, LIFETIME_S) * 1_000
}

/** Something that can be dialled, and not before which another NAT stands; a router may say anything. */
function isUsable({ host, port }: OutsidePort): boolean {
  return isIPv4(host) && port > 0 && port <= 65_535 && ipaddr.IPv4.parse(host).range() === 'unicast'
}
