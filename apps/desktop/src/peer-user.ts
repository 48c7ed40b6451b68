/**
 * Whose program is at the other end of a connection within this machine. Other users see the arguments of ours, with them the link that a
 * window is started with, and could be faster than the window.
 */
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { endianness } from 'node:os'

/** What the kernel of Linux knows of TCP sockets; see proc_net_tcp in its documentation. */
const TABLE = '/proc/net/tcp'
/** Columns of it. */
const [LOCAL, REMOTE, UID] = [1, 2, 7]

interface Endpoint {
  readonly host: string
  readonly port: number
}

/** User of the socket at `from` that is connected to `to`; `undefined` when there is none. Another address with the same port is another socket. */
export function ownerOf(table: string, from: Endpoint, to: Endpoint): number | undefined {
  const [local, remote] = [from, to].map(columnOf)
  const row = table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find((columns) => columns[LOCAL] === local && columns[REMOTE] === remote)
  return row === undefined ? undefined : Number(row[UID])
}

/** As the kernel writes it: an IPv4 address is a number in the order of the machine. */
function columnOf({ host, port }: Endpoint): string {
  const bytes = Buffer.from(host.replace('::ffff:', '').split('.').map(Number))
  const text = endianness() === 'LE' ? bytes.reverse().toString('hex') : bytes.toString('hex')
  return `${text}:${port.toString(16).padStart(4, '0')}`.toUpperCase()
}

type Ends = Pick<Socket, 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort'>

/** Whether another user of this machine asks. Where the system does not tell, nobody is taken for one. */
export function isOtherUser(socket: Ends, table = readTable()): boolean {
  const self = process.getuid?.()
  if (table === undefined || self === undefined) return false
  const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = socket
  return ownerOf(table, { host: remoteAddress, port: remotePort }, { host: localAddress, port: localPort }) !== self
}

function readTable(): string | undefined {
  try {
    return readFileSync(TABLE, 'latin1')
  } catch {
    return undefined
  }
}
