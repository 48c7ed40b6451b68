/** Bytes of a raw connection, in pieces of a given size. */
import type { Socket } from 'node:net'

export interface ByteReader {
  /** Nothing has been read that nobody has asked for. */
  readonly isEmpty: boolean
  /** @throws Error when the socket ends before, or the signal aborts */
  exactly(count: number, signal?: AbortSignal): Promise<Buffer>
  /** The same, but `undefined` when the other side has ended in order before the first of them. */
  unlessEnded(count: number, signal?: AbortSignal): Promise<Buffer | undefined>
  /** What still comes is dropped. */
  discard(): void
}

/** A TCP connection and the only one who reads it. */
export interface RawSocket {
  readonly socket: Socket
  readonly reader: ByteReader
}
