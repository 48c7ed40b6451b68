/** Gossip, whose code a page loads after what a first message needs. Until then topics are remembered, and nothing is heard. */
import type { GossipSub, GossipSubComponents } from '@libp2p/gossipsub'
import { type Connection, start, type Startable, stop } from '@libp2p/interface'
import type { Logger } from '@skein/core'
import type * as GossipCode from './gossip.ts'
import { introduce } from './introduce.ts'

export interface LateGossipOptions {
  /** After the start, ms. 0: the start waits for it. */
  readonly afterMs: number
  /** Of the code. */
  load(): Promise<typeof GossipCode>
}

/** Before the code is asked for again where it could not be loaded, ms; twice as long each time, up to so long. */
const AGAIN_AFTER_MS = 5_000
const AGAIN_AT_MOST_MS = 300_000

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
    const made = this.made ?? (await this.making)
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
    else void this.making.then((made) => (made === undefined ? this.makeLater() : undefined))
  }

  async stop(): Promise<void> {
    this.stopping.abort()
    if (this.made !== undefined) await stop(this.made.gossip)
  }

  /** A server that is away for a moment must not keep a page without gossip for weeks. */
  private async makeLater(): Promise<void> {
    for (let wait = AGAIN_AFTER_MS; !this.stopping.signal.aborted; wait = Math.min(2 * wait, AGAIN_AT_MOST_MS)) {
      await new Promise((resolve) => setTimeout(resolve, wait))
      if ((await this.make()) !== undefined) return
    }
  }

  /** `undefined` after a stop, or when its code cannot be loaded. */
  private async make(): Promise<Made | undefined> {
    const code = await this.options.load().catch(() => undefined)
    if (code === undefined || this.stopping.signal.aborted) return undefined
    const gossip = code.makeGossip(this.components)
    await start(gossip)
    this.made = { gossip, code }
    for (const [topic, subscription] of this.topics) code.subscribeTopic(gossip, topic, subscription)
    await introduce(this.components, gossip.protocols)
    return this.made
  }
}
