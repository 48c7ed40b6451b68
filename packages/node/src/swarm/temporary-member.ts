/** A swarm for programs that measure a relay on this machine. */
import type { Logger } from '@skein/core'
import { systemClock, systemRandom } from '../platform/system.ts'
import type { Libp2pSwarm } from './libp2p-swarm.ts'
import { createSwarm } from './nodejs.ts'

/** With an identity for this once, one relay, and no opinion of records that others show it. Not started. */
export function temporaryMember(relay: string, logger: Logger): Libp2pSwarm {
  return createSwarm({
    privateKeySeed: systemRandom.bytes(32),
    relays: [relay],
    listen: { host: '127.0.0.1', port: 0 },
    logger,
    clock: systemClock,
    random: systemRandom,
    judge: { verify: () => true, isNewer: () => false },
  })
}
