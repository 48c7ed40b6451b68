/**
 * What the system still holds of what was sent over TCP: the other side has not taken it. A client that takes nothing of a
 * small answer leaves it there, and Node.js has nothing left of it. Linux; elsewhere unknown.
 */
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { endianness } from 'node:os'
import ipaddr from 'ipaddr.js'

const TABLES = ['/proc/self/net/tcp', '/proc/self/net/tcp6']
/**
 * For which the tables are good, ms, and times what reading them has taken: they have a line for each connection, and everybody
 * waits meanwhile. Shorter than connections idle before they are looked for, so that what they hold is in them.
 */
const FRESH = { ms: 250, times: 20 } as const
/** The end of a connection that this side has closed counts as one byte. */
const END_BYTES = 1
/** Of an address the tables show words of this machine's. */
const WORD_BYTES = 4

type Ends = Pick<Socket, 'remoteAddress' | 'remotePort' | 'localPort'>

export class SendQueues {
  readonly #now: () => number
  readonly #tables: readonly string[]
  #queues: ReadonlyMap<string, number> = new Map()
  #goodUntil = Number.NEGATIVE_INFINITY

  /** @param now monotonic milliseconds */
  constructor(now: () => number, tables = TABLES) {
    this.#now = now
    this.#tables = tables
  }

  /** Bytes; 0 where that is not known. */
  of({ remoteAddress, remotePort, localPort }: Ends): number {
    if (remoteAddress === undefined || !ipaddr.isValid(remoteAddress)) return 0
    if (this.#now() > this.#goodUntil) this.#read()
    return this.#queues.get(`${hexPort(localPort)} ${hexAddress(remoteAddress)}:${hexPort(remotePort)}`) ?? 0
  }

  #read(): void {
    const began = this.#now()
    this.#queues = new Map(this.#tables.flatMap(readTable))
    const over = this.#now()
    this.#goodUntil = over + Math.max(FRESH.ms, FRESH.times * (over - began))
  }
}

/** Columns of proc_pid_net(5): both ends, the state, what is to be sent and what is to be read. Of most connections that is nothing. */
const ROW = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]+:[0-9A-F]{4}) [0-9A-F]{2} ([0-9A-F]+):/

function readTable(file: string): (readonly [ends: string, bytes: number])[] {
  try {
    const rows = readFileSync(file, 'utf8').split('\n')
    return rows.flatMap((row) => {
      const [, port = '', remote = '', queue = ''] = ROW.exec(row) ?? []
      const bytes = Number.parseInt(queue, 16)
      return bytes > END_BYTES ? [[`${port} ${remote}`, bytes] as const] : []
    })
  } catch {
    return []
  }
}

const hexPort = (port = 0): string => port.toString(16).toUpperCase().padStart(4, '0')

function hexAddress(address: string): string {
  const bytes = Buffer.from(ipaddr.parse(address).toByteArray())
  if (endianness() === 'LE') for (let at = 0; at < bytes.length; at += WORD_BYTES) bytes.subarray(at, at + WORD_BYTES).reverse()
  return bytes.toString('hex').toUpperCase()
}
