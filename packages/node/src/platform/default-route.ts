/** Which way out of this machine is taken now, as text to be compared; empty without one. Sends nothing. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'

/** No host is asked: only which of our addresses would be used. For documentation (RFC 5737, RFC 3849). */
const FAR_AWAY = { udp4: '192.0.2.1', udp6: '2001:db8::1' } as const
/** Columns of Linux's tables: interface, destination, gateway, … (proc(5)). */
const DEFAULT4 = /^(\S+)\s+0{8}\s+([0-9A-F]{8})\s/
/** Destination, its prefix, source, its prefix, gateway, metric, two counters, flags, interface. */
const DEFAULT6 = /^0{32} 00 0{32} 00 ([0-9a-f]{32}) ([0-9a-f]{8}) [0-9a-f]{8} [0-9a-f]{8} [0-9a-f]{8}\s+(\S+)$/

/** Of IPv4 and of IPv6. Never rejects. */
export async function defaultRoute(): Promise<string> {
  return process.platform === 'linux' ? fromTables() : ownWayOut()
}

async function fromTables(): Promise<string> {
  const [four, six] = await Promise.all(['route', 'ipv6_route'].map((name) => readFile(`/proc/net/${name}`, 'latin1').catch(() => '')))
  return [...defaultRoutes4(four ?? ''), ...defaultRoutes6(six ?? '')].join()
}

/** @param table as in `/proc/net/route` @returns the default ones, in order of use */
export function defaultRoutes4(table: string): readonly string[] {
  return table.split('\n').flatMap((line) => {
    const [, interfaceName, gateway] = DEFAULT4.exec(line) ?? []
    return interfaceName === undefined ? [] : `${interfaceName} ${gateway}`
  })
}

/** @param table as in `/proc/net/ipv6_route` @returns the default ones, in an order that depends on nothing else; `lo` has one that leads nowhere */
export function defaultRoutes6(table: string): readonly string[] {
  const found = table.split('\n').flatMap((line) => {
    const [, gateway, metric, interfaceName] = DEFAULT6.exec(line) ?? []
    return interfaceName === undefined || interfaceName === 'lo' ? [] : `${interfaceName} ${gateway} ${metric}`
  })
  return found.toSorted()
}

/** Which of our addresses would be used towards the internet, as text to be compared; empty without any. Never rejects. */
export async function ownWayOut(): Promise<string> {
  const found = await Promise.all([fromSocket('udp4'), fromSocket('udp6')])
  return found.some((each) => each !== '') ? found.join() : ''
}

/** Another router on the same network is not seen this way. */
async function fromSocket(type: 'udp4' | 'udp6'): Promise<string> {
  const socket = createSocket(type)
  try {
    socket.connect(9, FAR_AWAY[type])
    await once(socket, 'connect')
    return socket.address().address
  } catch {
    return ''
  } finally {
    socket.close()
  }
}
