/** Topics over gossipsub. */
import { type GossipSub, type GossipSubComponents, gossipsub, TopicValidatorResult } from '@libp2p/gossipsub'
import type { Connection, PeerId } from '@libp2p/interface'
import type { Logger, TopicVerdict } from '@skein/core'
import { GOSSIP_OPTIONS } from './stack-parts.ts'

/** @param from whoever passed it on */
export type TopicReceiver = (bytes: Uint8Array, from: PeerId) => Promise<TopicVerdict>

const RESULTS: Readonly<Record<TopicVerdict, TopicValidatorResult>> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
}

/** Not started. */
export function makeGossip(components: GossipSubComponents): GossipSub {
  return gossipsub(GOSSIP_OPTIONS)(components)
}

/** Subscribes; the receiver judges each message before it is forwarded. A receiver that throws ignores the message. */
export function subscribeTopic(
  gossip: GossipSub,
  topic: string,
  { receive, logger }: { readonly receive: TopicReceiver; readonly logger: Logger },
): void {
  gossip.topicValidators.set(topic, async (from, message) => {
    try {
      return RESULTS[await receive(new Uint8Array(message.data), from)]
    } catch (error) {
      logger.warn('topic-receiver-failed', { topic, reason: String(error) })
      return RESULTS.ignore
    }
  })
  gossip.subscribe(topic)
}

export function unsubscribeTopic(gossip: GossipSub, topic: string): void {
  gossip.topicValidators.delete(topic)
  gossip.unsubscribe(topic)
}

/** Best effort: that nobody listens, or that the same bytes were published before, is no failure. */
export async function publishTopic(
  gossip: GossipSub,
  topic: string,
  { bytes, logger }: { readonly bytes: Uint8Array; readonly logger: Logger },
): Promise<void> {
  try {
    await gossip.publish(topic, bytes)
  } catch (error) {
    logger.debug('publish-failed', { topic, reason: String(error) })
  }
}

/**
 * Opens gossip's stream to a peer again on `connection`. The library ties it to the first connection and, when that
 * closes while another stands, falls silent towards the peer for good (notes/libp2p.md, finding 8).
 */
export function reviveGossip(gossip: GossipSub, connection: Connection): void {
  const inner = gossip as unknown as { onPeerConnected?(peer: Connection['remotePeer'], connection: Connection): void }
  inner.onPeerConnected?.(connection.remotePeer, connection)
}
