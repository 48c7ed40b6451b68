/** Core's BulkPort on raw connections of the swarm. */
import type { BulkLink, BulkPort } from '@skein/core'
import type { BulkConnection } from '../bulk/index.ts'
import type { Libp2pSwarm } from '../swarm/libp2p-swarm.ts'

const PURPOSE = 'files'
/** To open one; where that takes longer a channel is as good. Milliseconds. */
const OPEN_WITHIN_MS = 5_000

export function bulkPortOn(swarm: Pick<Libp2pSwarm, 'openBulk' | 'handleBulk'>): BulkPort {
  return {
    open: async (device) => {
      const opened = await swarm.openBulk(device, PURPOSE, { signal: AbortSignal.timeout(OPEN_WITHIN_MS) })
      return opened.kind === 'open' ? linkOn(opened.connection) : undefined
    },
    handle: (allows, onOpened) => swarm.handleBulk(PURPOSE, { allows, onOpened: (connection) => onOpened(linkOn(connection)) }),
  }
}

function linkOn(connection: BulkConnection): BulkLink {
  return {
    peer: connection.peer,
    via: connection.via,
    send: (frame) =>
      connection.write(frame).then(
        () => true,
        () => false,
      ),
    frames: () => framesOf(connection),
    close: () => void connection.close(),
  }
}

/** Ends where the connection breaks off, as at an end in order. */
async function* framesOf(connection: BulkConnection): AsyncGenerator<Uint8Array> {
  try {
    yield* connection
  } catch {
    // The control stream says what is missing.
  }
}
