/**
 * Datagrams that the system has thrown away because they came faster than they were taken: what a flood of the UDP ports
 * leaves, whoever reads them. Linux; elsewhere unknown.
 */
import { readFileSync } from 'node:fs'

const TABLES = ['/proc/self/net/udp', '/proc/self/net/udp6']

/** As the relay announces them: `/ip4/192.0.2.1/udp/4003/webrtc-direct/…`. */
const ANNOUNCED = /\/udp\/(\d+)\/(webrtc-direct|quic-v1)/
const NAMES: Readonly<Record<string, string>> = { 'webrtc-direct': 'webrtc', 'quic-v1': 'quic' }

export interface UdpPorts {
  readonly stun: readonly number[]
  readonly addresses: readonly string[]
}

/** Since the port was opened, by what it is for. */
export function udpDrops({ stun, addresses }: UdpPorts, tables = TABLES): Record<string, number> {
  const names = new Map(stun.map((port) => [port, 'stun']))
  for (const [, port = '', protocol = ''] of addresses.map((each) => ANNOUNCED.exec(each) ?? []))
    names.set(Number(port), NAMES[protocol] ?? '')
  const drops = Object.fromEntries([...names.values()].filter((name) => name !== '').map((name) => [name, 0]))
  for (const { port, dropped } of tables.flatMap(readTable)) {
    const name = names.get(port)
    if (name !== undefined && name in drops) drops[name] = (drops[name] ?? 0) + dropped
  }
  return drops
}

/** Columns of proc_pid_net(5): the local address is the second one, what was dropped the last. */
function readTable(file: string): { port: number; dropped: number }[] {
  try {
    const rows = readFileSync(file, 'utf8').trim().split('\n').slice(1)
    return rows.map((row) => {
      const columns = row.trim().split(/\s+/)
      return { port: Number.parseInt(columns[1]?.split(':')[1] ?? '', 16), dropped: Number(columns.at(-1)) }
    })
  } catch {
    return []
  }
}
