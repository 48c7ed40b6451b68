/**
 * Whose program is at the other end of a connection within this machine. Other users see the arguments of ours, with them the link that a
 * window is started with, and could be faster than the window.
 */
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'

/** What the kernel of Linux knows of TCP sockets; see proc_net_tcp in its documentation. */
const TABLE = '/proc/net/tcp'
/** Columns of it. */
const [LOCAL, REMOTE, UID] = [1, 2, 7]

/** User of the socket on `port` that is connected to `to`; `undefined` when there is none. */
export function ownerOf(table: string, port: number, to: number): number | undefined {
  const endsWith = (address: string | undefined, wanted: number): boolean =>
    address?.endsWith(`:${wanted.toString(16).toUpperCase().padStart(4, '0')}`) === true
  const row = table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find((columns) => endsWith(columns[LOCAL], port) && endsWith(columns[REMOTE], to))
  return row === undefined ? undefined : Number(row[UID])
}

/** Whether another user of this machine asks. Where the system does not tell, nobody is taken for one. */
export function isOtherUser({ remotePort, localPort }: Pick<Socket, 'remotePort' | 'localPort'>, table = readTable()): boolean {
  const self = process.getuid?.()
  if (table === undefined || self === undefined) return false
  return ownerOf(table, remotePort ?? 0, localPort ?? 0) !== self
}

function readTable(): string | undefined {
  try {
    return readFileSync(TABLE, 'latin1')
  } catch {
    return undefined
  }
}
