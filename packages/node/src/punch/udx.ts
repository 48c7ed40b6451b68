/** `udx-native` as far as it is used here: UDP sockets that also carry reliable, congestion-controlled streams. */
import type { Duplex } from 'node:stream'
import { isIPv4 } from 'node:net'
import type { Datagrams, Endpoint } from '../stun/index.ts'
import { UDP_KEEPALIVE_MS } from './constants.ts'

interface UdxSocket {
  bind(port: number, host: string): void
  trySend(bytes: Uint8Array, port: number, host: string, ttl?: number): boolean
  on(event: 'message', listener: (bytes: Uint8Array, from: { readonly host: string; readonly port: number }) => void): void
  address(): { readonly port: number }
  close(): Promise<void>
}

interface UdxStream extends Duplex {
  connect(socket: UdxSocket, remoteId: number, port: number, host: string): void
  setKeepalive(ms: number): void
}

interface Udx {
  createSocket(): UdxSocket
  createStream(id: number): UdxStream
}

/** UDP sockets and streams over them; loaded when it is needed, for there are platforms without it. */
export class UdxSockets {
  private readonly udx: Udx

  private constructor(udx: Udx) {
    this.udx = udx
  }

  /** @throws Error on a platform for which the library has no binary */
  static async load(): Promise<UdxSockets> {
    const { default: Library } = (await import('udx-native')) as unknown as { readonly default: new () => Udx }
    return new UdxSockets(new Library())
  }

  /** On any free port of all IPv4 interfaces. */
  open(): PunchSocket {
    const socket = this.udx.createSocket()
    try {
      socket.bind(0, '0.0.0.0')
    } catch (error) {
      void socket.close()
      throw error
    }
    return new PunchSocket(socket)
  }

  /** Both sides call this; nothing tells whether the other one has. */
  stream(socket: PunchSocket, { own, theirs, to }: { readonly own: number; readonly theirs: number; readonly to: Endpoint }): Duplex {
    const stream = this.udx.createStream(own)
    stream.connect(socket.raw, theirs, to.port, to.host)
    stream.setKeepalive(UDP_KEEPALIVE_MS)
    stream.once('close', () => socket.close())
    return stream
  }
}

export class PunchSocket implements Datagrams {
  readonly raw: UdxSocket
  private readonly listeners = new Set<(bytes: Buffer, from: Endpoint) => void>()
  private closed = false

  constructor(raw: UdxSocket) {
    this.raw = raw
    raw.on('message', (bytes, { host, port }) => {
      const copy = Buffer.from(bytes)
      for (const each of [...this.listeners]) each(copy, { host, port })
    })
  }

  /** @param ttl hops after which the packet is dropped */
  send(bytes: Uint8Array, { host, port }: Endpoint, ttl?: number): void {
    // Networks lose datagrams, and so does a full buffer; whoever sends repeats.
    if (!this.closed && isIPv4(host)) this.raw.trySend(bytes, port, host, ttl)
  }

  listen(receive: (bytes: Buffer, from: Endpoint) => void): () => void {
    this.listeners.add(receive)
    return () => this.listeners.delete(receive)
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.listeners.clear()
    void this.raw.close()
  }
}
