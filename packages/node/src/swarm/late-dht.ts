/** The DHT, made when it is first wanted: its code is a seventh of what a page loads, and no first message waits for it. */
import { peerDiscoverySymbol, type PeerInfo, start, type Startable, stop } from '@libp2p/interface'
import type { KadDHT, KadDHTComponents } from '@libp2p/kad-dht'
import { introduce } from './introduce.ts'
import { DHT_PROTOCOL, dhtOptions, type RecordJudge } from './stack-parts.ts'

export interface LateDhtOptions {
  readonly judge: RecordJudge
  /** What nobody waits for may wait this long, ms; a page that has just been opened has better things to load. */
  readonly quietAfterMs: number
}

export class LateDht implements Startable {
  private readonly components: KadDHTComponents
  private readonly options: LateDhtOptions
  private made: Promise<KadDHT> | undefined
  private readonly stopping = new AbortController()

  constructor(components: KadDHTComponents, options: LateDhtOptions) {
    this.components = components
    this.options = options
  }

  /** @throws Error when its code cannot be loaded, which the next call tries again, or after `stop` */
  forLookUp(): Promise<KadDHT> {
    this.stopping.signal.throwIfAborted()
    this.made ??= this.make().catch((error: unknown) => {
      this.made = undefined
      throw error
    })
    return this.made
  }

  /** For what nobody waits for: publishing, and looking whether something is new. @throws as `forLookUp` */
  async whenQuiet(): Promise<KadDHT> {
    if (this.made === undefined) await new Promise((resolve) => setTimeout(resolve, this.options.quietAfterMs))
    this.stopping.signal.throwIfAborted()
    return this.forLookUp()
  }

  start(): void {
    // Nobody has wanted it yet.
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the network is stopped'))
    const dht = await this.made?.catch(() => undefined)
    if (dht !== undefined) await stop(dht)
  }

  private async make(): Promise<KadDHT> {
    const { kadDHT } = await import('@libp2p/kad-dht')
    const dht = kadDHT(dhtOptions(this.options.judge, { clientMode: true }))(this.components)
    // Whom look-ups are told of must be found when they are dialled; a service that is made in time has libp2p do this.
    discoveryOf(dht).addEventListener('peer', ({ detail: { id, multiaddrs } }) => {
      void this.components.peerStore.merge(id, { multiaddrs }).catch(() => undefined)
    })
    await start(dht)
    await introduce(this.components, [DHT_PROTOCOL])
    return dht
  }
}

interface Discovery {
  addEventListener(type: 'peer', listener: (event: CustomEvent<PeerInfo>) => void): void
}

function discoveryOf(dht: KadDHT): Discovery {
  return (dht as unknown as Record<typeof peerDiscoverySymbol, Discovery>)[peerDiscoverySymbol]
}
