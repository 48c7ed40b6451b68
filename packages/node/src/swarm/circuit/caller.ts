/** Who asks a relay for something, as far as the relay counts it. */
import type { Connection } from '@libp2p/interface'
import { addressOf } from './party.ts'

export interface Caller {
  /** Peer id in text form. */
  readonly peer: string
  /** IP address in text form; `undefined` for whoever comes over another relay. */
  readonly address: string | undefined
  /** Name of the connection, of this process alone. */
  readonly connection: string
}

export function callerOf(connection: Connection): Caller {
  return { peer: connection.remotePeer.toString(), address: addressOf(connection), connection: connection.id }
}
