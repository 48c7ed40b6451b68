/** Gossip on a relay: passes on what belongs to its own community, and nothing that no member would take (RL31). */
import type { GossipSub, GossipsubOpts } from '@libp2p/gossipsub'
import type { PeerId } from '@libp2p/interface'
import { type DeviceId, type Logger, presenceTopic } from '@skein/core'
import { PresenceHub } from '@skein/core/relay'
import { nativePrimitives } from '../platform/primitives.ts'
import { systemClock } from '../platform/system.ts'
import type { Caller } from './circuit/caller.ts'
import type { RelayRules } from './circuit/rules.ts'
import { subscribeTopic } from './gossip.ts'
import { Penalties } from './penalties.ts'
import { GOSSIP_OPTIONS } from './stack-parts.ts'

/** Streams of gossip on one connection; a peer needs one. */
const MAX_GOSSIP_STREAMS = 4
/** Largest frame of gossip, bytes: sixteen of the largest presences; the library's is 4 MiB. */
export const MAX_GOSSIP_BYTES = 1_048_576

/** What may wait for one peer that does not read, bytes; then its stream ends. The library has no bound. */
const MAX_WAITING_BYTES = 524_288

/** Nothing is kept of topics that are not this relay's. */
export function hubOptions(topic: string): Partial<GossipsubOpts> {
  return {
    ...GOSSIP_OPTIONS,
    allowedTopics: [topic],
    maxInboundDataLength: MAX_GOSSIP_BYTES,
    maxOutboundBufferSize: MAX_WAITING_BYTES,
    maxInboundStreams: MAX_GOSSIP_STREAMS,
    // What one frame may hold; the library allows 5,000 of most. Names of messages: what a hub of thousands announces.
    decodeRpcLimits: {
      maxSubscriptions: 128,
      maxMessages: 512,
      maxIhaveMessageIDs: 5_000,
      maxIwantMessageIDs: 5_000,
      maxControlMessages: 256,
      maxIdontwantMessageIDs: 512,
      maxPeerInfos: 16,
    },
  }
}

export interface HubParts {
  readonly relay: DeviceId
  /** `undefined` for whoever has gone. */
  callerOf(peer: PeerId): Caller | undefined
  /** Ends the connections of a peer. */
  cutOff(peer: PeerId): Promise<void>
  readonly rules: Pick<RelayRules, 'mayAsk' | 'onRefused'>
  readonly logger: Logger
}

/** Who goes on sending what no member would take is cut off. */
export function openHub(gossip: GossipSub, { relay, callerOf, cutOff, rules, logger }: HubParts): void {
  const hub = new PresenceHub({ primitives: nativePrimitives, clock: systemClock, relay })
  const penalties = new Penalties()
  const receive = async (bytes: Uint8Array, from: PeerId) => {
    const caller = callerOf(from)
    const verdict = caller === undefined ? 'ignore' : hub.judge(bytes, () => rules.mayAsk('gossip', caller))
    if (verdict !== 'reject') return verdict
    rules.onRefused('gossip', 'forged')
    if (penalties.offend(from.toString() as DeviceId, performance.now())) await cutOff(from)
    return verdict
  }
  subscribeTopic(gossip, presenceTopic(relay), { receive, logger })
}
