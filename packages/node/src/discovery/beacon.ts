/** The beacon: announcements as bare datagrams to all hosts of a network, for networks that eat multicast. */
import type { DiscoveryHandlers, Logger } from '@skein/core'
import type { Refusal } from '../platform/tally.ts'
import { ALL_NODES } from './constants.ts'
import { Datagrams } from './datagrams.ts'
import type { Link } from './interfaces.ts'

export interface CarrierOptions extends DiscoveryHandlers {
  readonly port: number
  readonly logger: Logger
  refused(why: Refusal): void
}

/** One way to carry announcements. */
export interface Carrier {
  use(links: readonly Link[]): Promise<void>
  announce(): void
  /** Called every BEACON_EVERY_MS. */
  beat(): void
  close(): Promise<void>
}

export class Beacon implements Carrier {
  private readonly options: CarrierOptions
  private readonly datagrams: Datagrams

  constructor(options: CarrierOptions) {
    this.options = options
    this.datagrams = new Datagrams({
      port: options.port,
      from: 0,
      destination: (link) => (link.family === 4 ? link.broadcast : ALL_NODES),
      group: () => null,
      hops: 1,
      logger: options.logger,
      received: (bytes, from) => options.heard(bytes, from),
      refused: () => options.refused('lan-off-link'),
    })
  }

  async use(links: readonly Link[]): Promise<void> {
    for (const link of await this.datagrams.use(links)) this.sendOn(link)
  }

  announce(): void {
    for (const link of this.datagrams.links()) this.sendOn(link)
  }

  beat(): void {
    this.announce()
  }

  close(): Promise<void> {
    return this.datagrams.close()
  }

  private sendOn(link: Link): void {
    for (const bytes of this.options.announcements(link.address)) void this.datagrams.send(link, bytes)
  }
}
