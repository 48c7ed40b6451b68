/** Core's Discovery on the networks of this machine: a beacon and mDNS on every interface, also on those that come later. */
import type { Clock, Discovery, DiscoveryHandlers, Logger } from '@skein/core'
import type { Refusal } from '../platform/tally.ts'
import { Beacon, type Carrier } from './beacon.ts'
import { BEACON_EVERY_MS, BEACON_PORT, INTERFACES_EVERY_MS, MDNS_PORT } from './constants.ts'
import { type Link, localLinks } from './interfaces.ts'
import { Mdns } from './mdns.ts'

export interface LanDiscoveryOptions {
  readonly clock: Clock
  readonly logger: Logger
  /** What there is to announce on; without it every interface of this machine. */
  readonly links?: () => readonly Link[]
  /** UDP ports; null leaves that way out. */
  /** Something from the network was not looked at. */
  readonly refused?: (why: Refusal) => void
  readonly ports?: { readonly beacon: number | null; readonly mdns: number | null }
}

const ignore = (): void => undefined

export class LanDiscovery implements Discovery {
  private readonly options: LanDiscoveryOptions
  private carriers: readonly Carrier[] = []
  private stopping: AbortController | undefined
  private loops: readonly Promise<void>[] = []

  constructor(options: LanDiscoveryOptions) {
    this.options = options
  }

  async start(handlers: DiscoveryHandlers): Promise<void> {
    if (this.stopping !== undefined) return
    const { clock, logger, ports = { beacon: BEACON_PORT, mdns: MDNS_PORT }, refused = ignore } = this.options
    this.stopping = new AbortController()
    const { signal } = this.stopping
    this.carriers = [
      ...(ports.beacon === null ? [] : [new Beacon({ ...handlers, logger, refused, port: ports.beacon })]),
      ...(ports.mdns === null ? [] : [new Mdns({ ...handlers, logger, refused, clock, port: ports.mdns })]),
    ]
    await this.useLinks()
    this.loops = [
      this.every(INTERFACES_EVERY_MS, { signal, work: () => this.useLinks() }),
      this.every(BEACON_EVERY_MS, { signal, work: async () => this.beat() }),
    ]
  }

  hurry(): void {
    for (const each of this.carriers) each.announce()
  }

  async stop(): Promise<void> {
    this.stopping?.abort()
    this.stopping = undefined
    const { carriers } = this
    this.carriers = []
    await Promise.all(this.loops)
    await Promise.all(carriers.map((each) => each.close()))
  }

  private beat(): void {
    for (const each of this.carriers) each.beat()
  }

  private async useLinks(): Promise<void> {
    const links = this.look()
    if (links === undefined) return
    await Promise.all(this.carriers.map((each) => each.use(links)))
  }

  /** Nothing where the system does not say: it is asked again a second later. */
  private look(): readonly Link[] | undefined {
    try {
      return (this.options.links ?? localLinks)()
    } catch (error) {
      this.options.logger.debug('links-not-known', { reason: String(error) })
      return undefined
    }
  }

  private async every(ms: number, { signal, work }: { readonly signal: AbortSignal; work(): Promise<void> }): Promise<void> {
    while (await this.options.clock.sleep(ms, { signal })) await work()
  }
}
