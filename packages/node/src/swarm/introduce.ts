/** Makes a protocol that is registered late known to the peers that are there already. */
import type { PeerStore } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'

export interface Introducing {
  readonly registrar: Registrar
  readonly connectionManager: ConnectionManager
  readonly peerStore: PeerStore
}

/** A topology hears of peers that are identified after it was registered; these were before. */
export async function introduce({ registrar, connectionManager, peerStore }: Introducing, protocols: readonly string[]): Promise<void> {
  for (const connection of connectionManager.getConnections()) {
    const known = await peerStore.get(connection.remotePeer).catch(() => undefined)
    const shared = protocols.find((each) => known?.protocols.includes(each) === true)
    if (shared === undefined) continue
    for (const topology of registrar.getTopologies(shared)) await topology.onConnect?.(connection.remotePeer, connection)
  }
}
