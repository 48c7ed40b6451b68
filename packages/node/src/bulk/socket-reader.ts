/** Reads a socket in pieces of a given size, and no further ahead than the socket itself does. */
import type { Socket } from 'node:net'
import type { ByteReader } from './byte-reader.ts'

const CHANGES = ['readable', 'end', 'close'] as const

export class SocketReader implements ByteReader {
  readonly socket: Socket
  #wake: () => void = () => undefined

  /** @param socket not flowing, and read by nobody else until `release` */
  constructor(socket: Socket) {
    this.socket = socket
    // One listener for all reads: each new one for `readable` is told at once of what lies there already, however little.
    for (const name of CHANGES) socket.on(name, this.#onChange)
  }

  get isEmpty(): boolean {
    return this.socket.readableLength === 0
  }

  /** Leaves the socket to somebody else, with what has not been read. */
  release(): void {
    for (const name of CHANGES) this.socket.off(name, this.#onChange)
  }

  async exactly(count: number, signal?: AbortSignal): Promise<Buffer> {
    const bytes = await this.unlessEnded(count, signal)
    if (bytes === undefined) throw new Error('the raw connection has ended')
    return bytes
  }

  discard(): void {
    this.release()
    this.socket.resume()
  }

  async unlessEnded(count: number, signal?: AbortSignal): Promise<Buffer | undefined> {
    const { socket } = this
    for (;;) {
      signal?.throwIfAborted()
      const bytes = socket.read(count) as Buffer | null
      if (bytes?.length === count) return bytes
      if (bytes === null && socket.readableEnded) return undefined
      if (bytes !== null || socket.destroyed) throw new Error('the raw connection has broken off')
      await this.#change(signal)
    }
  }

  readonly #onChange = (): void => this.#wake()

  #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        signal?.removeEventListener('abort', this.#onChange)
        resolve()
      }
      signal?.addEventListener('abort', this.#onChange, { once: true })
    })
  }
}
