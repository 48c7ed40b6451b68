/** Frames on an opened raw connection: a length of four bytes, big-endian, then that many bytes (BU5). */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { DeviceId } from '@skein/core'
import type { ByteReader, RawSocket } from './byte-reader.ts'
import { idleHandleOf, leave, type Transferable } from './socket-handle.ts'
import { CLOSE_WITHIN_MS, KEEP_ALIVE_MS, MAX_BULK_FRAME_BYTES } from './constants.ts'

const LENGTH_BYTES = 4

/**
 * An ordered sequence of frames each way between two devices. What is in them must be sealed, and must show by itself that
 * it is whole and in its place: whoever sits on the wire can read lengths, and can cut, change or add bytes after the
 * opening. It ends by the end of either side, or by the first thing that is wrong.
 */
export interface BulkConnection extends AsyncIterable<Uint8Array> {
  readonly peer: DeviceId
  readonly via: 'direct' | 'relay'
  /**
   * Sends one frame; resolves when there is room for the next one. The bytes must not change afterwards.
   * @param frame 1 to MAX_BULK_FRAME_BYTES bytes
   * @param onGone nobody looks at the bytes any more
   * @throws RangeError for any other size
   * @throws Error when the connection has ended
   */
  write(frame: Uint8Array, onGone?: () => void): Promise<void>
  /** Frames as they arrive; ends when the other side has closed. At most one consumer; a slow one slows the sender. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array>
  /** What was written is still delivered. Resolves when the other side has taken it or 10 s have passed. Idempotent. */
  close(): Promise<void>
  /** Ends at once, both ways. Idempotent. */
  abort(): void
  /**
   * Gives the TCP connection away, to be moved to another thread, when nothing waits in either direction.
   * @param take gets what Node.js transfers; a connection that it rejects with a DataCloneError is as it was
   * @returns what `take` resolves to; `undefined` where that cannot be done
   */
  handOver<T>(take: (handle: Transferable) => Promise<T>): Promise<T | undefined>
}

export class SocketBulkConnection implements BulkConnection {
  readonly peer: DeviceId
  readonly via: 'direct' | 'relay'
  readonly #socket: Socket
  readonly #reader: ByteReader

  /** @param raw opened */
  constructor({ socket, reader }: RawSocket, { peer, via }: Pick<BulkConnection, 'peer' | 'via'>) {
    this.#socket = socket
    this.#reader = reader
    this.peer = peer
    this.via = via
    // Whoever waits is told by the end of the socket.
    socket.on('error', () => undefined)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    socket.setNoDelay(true)
  }

  async write(frame: Uint8Array, onGone?: () => void): Promise<void> {
    if (frame.length === 0 || frame.length > MAX_BULK_FRAME_BYTES) throw new RangeError('a frame has 1 to MAX_BULK_FRAME_BYTES bytes')
    await this.#room()
    const length = Buffer.alloc(LENGTH_BYTES)
    length.writeUInt32BE(frame.length)
    this.#socket.cork()
    this.#socket.write(length)
    this.#socket.write(frame, onGone)
    this.#socket.uncork()
    await this.#room()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const reader = this.#reader
    try {
      for (;;) {
        const length = await lengthFrom(reader)
        if (length === undefined) return
        yield await reader.exactly(length)
      }
    } finally {
      this.abort()
    }
  }

  async close(): Promise<void> {
    const socket = this.#socket
    if (socket.destroyed) return
    const closed = once(socket, 'close', { signal: AbortSignal.timeout(CLOSE_WITHIN_MS) })
    if (!socket.writableEnded) socket.end()
    // What still arrives is read, or the other side's end would never be seen.
    this.#reader.discard()
    await closed.catch(() => socket.destroy())
  }

  abort(): void {
    this.#socket.destroy()
  }

  async handOver<T>(take: (handle: Transferable) => Promise<T>): Promise<T | undefined> {
    const handle = this.#reader.isEmpty ? idleHandleOf(this.#socket) : undefined
    if (handle === undefined) return undefined
    try {
      const taken = await take(handle)
      leave(this.#socket)
      return taken
    } catch (error) {
      // Node.js of before 26.6 moves no sockets.
      if ((error as Error).name === 'DataCloneError') return undefined
      leave(this.#socket)
      throw error
    }
  }

  /** @throws Error when the connection has ended */
  async #room(): Promise<void> {
    const socket = this.#socket
    while (socket.writable && socket.writableNeedDrain) await drained(socket)
    if (!socket.writable) throw new Error('the raw connection has ended')
  }
}

/** `undefined` at an end in order. @throws Error for a length that no frame has, and for an end within it */
async function lengthFrom(reader: ByteReader): Promise<number | undefined> {
  const length = (await reader.unlessEnded(LENGTH_BYTES))?.readUInt32BE()
  if (length === 0 || (length ?? 1) > MAX_BULK_FRAME_BYTES) throw new Error('a frame of a raw connection has no such length')
  return length
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const name of ['drain', 'close'] as const) socket.off(name, done)
      resolve()
    }
    for (const name of ['drain', 'close'] as const) socket.on(name, done)
  })
}
