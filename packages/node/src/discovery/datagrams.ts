/** Datagrams to everybody on each link, and from everybody: a socket per link to send, one per family to receive. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { LanSource, Logger } from '@skein/core'
import { type Link, linkKey, onLink } from './interfaces.ts'

export interface DatagramOptions {
  readonly port: number
  /** Port to send from, 0 for any. */
  readonly from: number
  /** Where a datagram goes on a link, without a zone; `null` for nowhere. */
  destination(link: Link): string | null
  /** Multicast group that has to be joined to receive, if any. */
  group(family: 4 | 6): string | null
  /** Hops of multicast datagrams. */
  readonly hops: number
  readonly logger: Logger
  /** From somebody on one of the links; the rest is `refused`. */
  received(bytes: Uint8Array, from: LanSource): void
  refused(): void
}

const FAMILIES = [4, 6] as const

export class Datagrams {
  private readonly options: DatagramOptions
  private readonly receivers = new Map<4 | 6, Socket>()
  private readonly senders = new Map<string, { readonly socket: Socket; readonly link: Link }>()
  /** Opens and closes, one after the other. */
  private turns: Promise<void> = Promise.resolve()
  private isNear = onLink([])

  constructor(options: DatagramOptions) {
    this.options = options
  }

  /** Uses these links from now on, and no others. @returns those that are new */
  use(links: readonly Link[]): Promise<readonly Link[]> {
    const done = this.turns.then(() => this.useNow(links))
    this.turns = done.then(() => undefined)
    return done
  }

  links(): readonly Link[] {
    return [...this.senders.values()].map(({ link }) => link)
  }

  /** Resolves when it is sent or cannot be: a link that is going away is found out by looking at the interfaces. */
  async send(link: Link, bytes: Uint8Array): Promise<void> {
    const destination = this.options.destination(link)
    const sender = this.senders.get(linkKey(link))
    if (destination === null || sender === undefined) return
    await new Promise<void>((resolve) => sender.socket.send(bytes, this.options.port, withZone(destination, link), () => resolve()))
  }

  async close(): Promise<void> {
    await this.use([])
    for (const family of FAMILIES) this.drop(family)
  }

  private async useNow(links: readonly Link[]): Promise<readonly Link[]> {
    const wanted = new Map(links.map((link) => [linkKey(link), link]))
    for (const key of [...this.senders.keys()]) if (!wanted.has(key)) this.forget(key)
    this.isNear = onLink(links)
    const added: Link[] = []
    for (const [key, link] of wanted) if (!this.senders.has(key) && (await this.add(key, link))) added.push(link)
    return added
  }

  private async add(key: string, link: Link): Promise<boolean> {
    try {
      const receiver = this.receivers.get(link.family) ?? (await this.listen(link.family))
      join(receiver, link, this.options.group(link.family))
      const socket = await open(link.family, { port: this.options.from, address: withZone(link.address, link) })
      socket.on('error', () => this.forget(key))
      try {
        reach(socket, link, this.options.hops)
      } catch (error) {
        socket.close()
        throw error
      }
      this.senders.set(key, { socket, link })
      return true
    } catch (error) {
      // Tried again when the interfaces are looked at next: an address may not be usable yet.
      this.options.logger.debug('link-not-usable', { port: this.options.port, reason: String(error) })
      return false
    }
  }

  private async listen(family: 4 | 6): Promise<Socket> {
    const socket = await open(family, { port: this.options.port })
    socket.on('error', () => this.drop(family))
    socket.on('message', (bytes, { address }) => this.take(bytes, sourceOf(address)))
    this.receivers.set(family, socket)
    return socket
  }

  private take(bytes: Buffer, from: LanSource): void {
    if (this.isNear(from)) this.options.received(plain(bytes), from)
    else this.options.refused()
  }

  private forget(key: string): void {
    this.senders.get(key)?.socket.close()
    this.senders.delete(key)
  }

  /** Without a receiver its links are made anew, memberships and all. */
  private drop(family: 4 | 6): void {
    this.receivers.get(family)?.close()
    this.receivers.delete(family)
    for (const [key, { link }] of [...this.senders]) if (link.family === family) this.forget(key)
  }
}

const withZone = (address: string, { zone }: Link): string => (zone === null ? address : `${address}%${zone}`)

/** Core knows no Buffer. */
export const plain = (bytes: Buffer): Uint8Array => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)

function sourceOf(address: string): LanSource {
  const [bare = address, zone = null] = address.split('%')
  return { address: bare, zone }
}

/** Shared with other programs on this machine, which have the same to hear. @throws Error of the system */
async function open(family: 4 | 6, where: { readonly port: number; readonly address?: string }): Promise<Socket> {
  const socket = createSocket({ type: `udp${family}`, reuseAddr: true, ...(family === 6 ? { ipv6Only: true } : {}) })
  socket.bind(where)
  try {
    await once(socket, 'listening')
    return socket
  } catch (error) {
    socket.close()
    throw error
  }
}

const interfaceOf = ({ family, address, zone }: Link): string => (family === 4 ? address : `::%${zone}`)

function join(socket: Socket, link: Link, group: string | null): void {
  if (group === null) return
  try {
    socket.addMembership(group, interfaceOf(link))
  } catch (error) {
    // Joined already: two addresses of one interface.
    if (!/EADDRINUSE/.test(String(error))) throw error
  }
}

function reach(socket: Socket, link: Link, hops: number): void {
  if (link.family === 4) socket.setBroadcast(true)
  socket.setMulticastInterface(interfaceOf(link))
  socket.setMulticastTTL(hops)
  // Other nodes on this machine hear it too.
  socket.setMulticastLoopback(true)
}
