/** A relay tells everybody who is connected to it something, at once and without waiting for those who do not listen. */
import type { Connection } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { asError } from './framing.ts'
import { NOTICE_PROTOCOL } from './leaving-relays.ts'

/** For one of them to take it, ms. */
const TOLD_WITHIN_MS = 5_000
/** Told at the same time: each costs a stream. */
const AT_ONCE = 64

/** Resolves when all have been told or do not listen. */
export async function giveNotice(connections: readonly Connection[], notice: Uint8Array): Promise<void> {
  const left = [...connections]
  const next = async (): Promise<void> => {
    for (let each = left.pop(); each !== undefined; each = left.pop()) await tell(each, notice)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, next))
}

async function tell(connection: Connection, notice: Uint8Array): Promise<void> {
  const signal = AbortSignal.timeout(TOLD_WITHIN_MS)
  try {
    const stream = await connection.newStream(NOTICE_PROTOCOL, { signal, maxOutboundStreams: AT_ONCE })
    await lpStream(stream)
      .write(notice, { signal })
      .catch((error: unknown) => stream.abort(asError(error)))
    await stream.close({ signal })
  } catch {
    // Somebody else's client, or one that goes at this moment.
  }
}
