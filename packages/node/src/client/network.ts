/** Follows the network around this machine: what changes is told to the swarm, and what the NAT does is found out anew. */
import type { Logger } from '@skein/core'
import { askRelay, NatKnowledge } from '../nat/index.ts'
import { watchNetwork } from '../platform/network-watch.ts'
import { systemClock, systemRandom } from '../platform/system.ts'
import type { Libp2pSwarm } from '../swarm/index.ts'
import type { NetworkKnowledge, Undo } from './assemble.ts'

export interface Watched {
  readonly swarm: Libp2pSwarm
  readonly logger: Logger
}

/** Runs until it is undone. */
export function watchOver({ swarm, logger }: Watched, undo: Undo): NetworkKnowledge {
  const knowledge = new NatKnowledge({
    clock: systemClock,
    random: systemRandom,
    logger: logger.child('nat'),
    stunServers: () => swarm.stunServers(),
    onKnown: ({ udp }) => swarm.knowUdp(udp),
  })
  const watching = new AbortController()
  const forget = swarm.listen({ onRelay: ({ reserved }) => void (reserved && knowledge.renew()) })
  undo.push(() => {
    forget()
    watching.abort()
    knowledge.stop()
  })
  void watchNetwork({ clock: systemClock, signal: watching.signal }, (change) => {
    logger.info('network-changed', { addresses: change.present.size, lost: change.hasLost })
    swarm.move(change)
    void knowledge.renew()
  })
  return { nat: () => knowledge.view(), probe: () => knowledge.probe(), askRelay }
}
