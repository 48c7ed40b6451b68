/** Gossip, whose code a page loads after what a first message needs. Until then topics are remembered, and nothing is heard. */
import type { GossipSub, GossipSubComponents } from '@libp2p/gossipsub'
import { type Connection, start, type Startable, stop } from '@libp2p/interface'
import type { Logger } from '@skein/core'
import type * as GossipCode from './gossip.ts'
import { introduce } from './introduce.ts'

export interface LateGossipOptions {
  /** After the start, ms. 0: the start waits for it. */
  readonly afterMs: number
}

interface Subscription {
  readonly receive: GossipCode.TopicReceiver
  readonly logger: Logger
}

interface Made {
  readonly gossip: GossipSub
  readonly code: typeof GossipCode
}

export class LateGossip implements Startable {
  private readonly components: GossipSubComponents
  private readonly options: LateGossipOptions
  private readonly topics = new Map<string, Subscription>()
  private readonly stopping = new AbortController()
  private made: Made | undefined
  private making: Promise<Made | undefined> | undefined

  constructor(components: GossipSubComponents, options: LateGossipOptions) {
    this.components = components
    this.options = options
  }

  /** The receiver judges each message before it is forwarded; one that throws ignores the message. */
  subscribe(topic: string, subscription: Subscription): void {
    this.topics.set(topic, subscription)
    this.made?.code.subscribeTopic(this.made.gossip, topic, subscription)
  }

  unsubscribe(topic: string): void {
    this.topics.delete(topic)
    this.made?.code.unsubscribeTopic(this.made.gossip, topic)
  }

  /** Best effort, once it is there: that nobody listens, or that the same bytes were published before, is no failure. */
  async publish(topic: string, what: { readonly bytes: Uint8Array; readonly logger: Logger }): Promise<void> {
    const made = await this.making
    await made?.code.publishTopic(made.gossip, topic, what)
  }

  /** Opens gossip's stream to a peer again (`reviveGossip`). */
  revive(connection: Connection): void {
    this.made?.code.reviveGossip(this.made.gossip, connection)
  }

  async start(): Promise<void> {
    const { afterMs } = this.options
    this.making = afterMs === 0 ? this.make() : new Promise((resolve) => setTimeout(resolve, afterMs)).then(() => this.make())
    if (afterMs === 0) await this.making
  }

  async stop(): Promise<void> {
    this.stopping.abort()
    if (this.made !== undefined) await stop(this.made.gossip)
  }

  /** `undefined` after a stop, or when its code cannot be loaded: then this client gossips from its next start on. */
  private async make(): Promise<Made | undefined> {
    const code = await import('./gossip.ts').catch(() => undefined)
    if (code === undefined || this.stopping.signal.aborted) return undefined
    const gossip = code.makeGossip(this.components)
    await start(gossip)
    this.made = { gossip, code }
    for (const [topic, subscription] of this.topics) code.subscribeTopic(gossip, topic, subscription)
    await introduce(this.components, gossip.protocols)
    return this.made
  }
}
