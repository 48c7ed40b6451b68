/** A libp2p connection, not yet encrypted, over a stream of bytes that somebody else has opened: a punched socket. */
import type { Duplex } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { AbortOptions, Logger, MessageStreamDirection } from '@libp2p/interface'
import { AbstractMultiaddrConnection } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Uint8ArrayList } from 'uint8arraylist'

export interface SocketConnectionInit {
  readonly socket: Duplex
  /** Where the other side is, ending in its peer id. */
  readonly remoteAddr: Multiaddr
  /** `outbound` on the side that speaks first; yamux takes its half of the stream numbers from it. */
  readonly direction: MessageStreamDirection
  readonly log: Logger
}

export class SocketConnection extends AbstractMultiaddrConnection {
  private readonly socket: Duplex

  constructor({ socket, ...init }: SocketConnectionInit) {
    super(init)
    this.socket = socket
    socket.on('data', (bytes: Uint8Array) => this.onData(bytes))
    socket.on('drain', () => this.safeDispatchEvent('drain'))
    socket.on('error', (error) => this.abort(error))
    socket.once('end', () => this.onTransportClosed())
    socket.once('close', () => this.onTransportClosed())
  }

  sendData(data: Uint8ArrayList): { sentBytes: number; canSendMore: boolean } {
    let sentBytes = 0
    let canSendMore = true
    for (const part of data) {
      sentBytes += part.byteLength
      canSendMore = this.socket.write(part)
      if (!canSendMore) break
    }
    return { sentBytes, canSendMore }
  }

  async sendClose({ signal }: AbortOptions = {}): Promise<void> {
    if (this.socket.destroyed) return
    this.socket.end()
    // The other side may be gone without a word; what it has not taken by then is lost.
    await finished(this.socket, { signal, readable: false }).catch(() => undefined)
    this.socket.destroy()
  }

  sendReset(): void {
    this.socket.destroy()
  }

  sendPause(): void {
    this.socket.pause()
  }

  sendResume(): void {
    this.socket.resume()
  }
}
