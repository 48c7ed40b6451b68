/** A relay tells everybody who is connected to it something, at once and without waiting for those who do not listen. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Connection } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import type { Places } from './circuit/places.ts'
import { asError } from './framing.ts'
import { NOTICE_PROTOCOL } from './leaving-relays.ts'

/** For one of them to take it, ms. */
const TOLD_WITHIN_MS = 2_000
/** Told in one turn of the event loop: each costs a stream, and whoever has been told answers meanwhile. */
const IN_ONE_TURN = 64

/** In the order given; nobody waits for an answer of somebody else. Resolves when all have been told or do not listen. */
export async function giveNotice(connections: readonly Connection[], notice: Uint8Array, withinMs = TOLD_WITHIN_MS): Promise<void> {
  const told: Promise<void>[] = []
  for (const [at, each] of connections.entries()) {
    if (at > 0 && at % IN_ONE_TURN === 0) await nextTurn()
    told.push(tell(each, { notice, withinMs }))
  }
  await Promise.all(told)
}

/** Who has a place has circuits to move. */
export function placesFirst(connections: readonly Connection[], places: Pick<Places, 'get'>): Connection[] {
  const hasPlace = ({ remotePeer }: Connection): boolean => places.get(remotePeer.toString()) !== undefined
  const { with: members = [], without: others = [] } = Object.groupBy(connections, (each) => (hasPlace(each) ? 'with' : 'without'))
  return [...members, ...others]
}

async function tell(
  connection: Connection,
  { notice, withinMs }: { readonly notice: Uint8Array; readonly withinMs: number },
): Promise<void> {
  const signal = AbortSignal.timeout(withinMs)
  try {
    const stream = await connection.newStream(NOTICE_PROTOCOL, { signal, maxOutboundStreams: IN_ONE_TURN })
    await lpStream(stream)
      .write(notice, { signal })
      .catch((error: unknown) => stream.abort(asError(error)))
    await stream.close({ signal })
  } catch {
    // Somebody else's client, or one that goes at this moment.
  }
}
