/** Who is at the other end of a connection, as the relay counts it. */
import type { Connection, MultiaddrConnection } from '@libp2p/interface'
import type { Party } from './rules.ts'

/** `undefined` for a peer behind another relay: no circuit leads through two. */
export function partyOf(connection: Connection): Party | undefined {
  const address = addressOf(connection)
  return address === undefined ? undefined : { peer: connection.remotePeer.toString(), address }
}

/** The IP address of the other end, IPv4 in its own form; `undefined` for a circuit. */
export function addressOf({ remoteAddr }: Pick<MultiaddrConnection, 'remoteAddr'>): string | undefined {
  const text = remoteAddr.toString()
  if (text.includes('/p2p-circuit')) return undefined
  const [, kind, host] = text.split('/')
  if (host === undefined || (kind !== 'ip4' && kind !== 'ip6')) return undefined
  return host.replace(/^::ffff:(\d+\.)/i, '$1')
}
