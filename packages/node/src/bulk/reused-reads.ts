/**
 * Reads an accepted socket into buffers that are used again. Node.js makes one of 64 KiB for each read, and after a few hundred
 * of them the whole heap is looked through while everybody waits: half of what joining two sockets costs.
 */
import type { Socket } from 'node:net'
import { takeOver } from './socket-handle.ts'

/** One read of a socket. */
const LARGE_BYTES = 65_536
/** What a direction keeps that carries nothing. */
const SMALL_BYTES = 4_096
/** Less than this is copied: what waits for its receiver keeps no more than twice its size from being used again. */
const COPIED_BELOW_BYTES = 32_768
/** Kept for the next read; more than this is needed for a moment only. */
const MAX_FREE = 64

/** @param done to be called once when the bytes are not needed any more, or not at all */
export type Take = (bytes: Buffer, done: () => void) => void

/** Large buffers, shared by all who read. */
export class ReadBuffers {
  readonly #free: Buffer[] = []
  readonly #make: (bytes: number) => Buffer

  constructor(make: (bytes: number) => Buffer = Buffer.allocUnsafeSlow) {
    this.#make = make
  }

  take(): Buffer {
    return this.#free.pop() ?? this.#make(LARGE_BYTES)
  }

  give(buffer: Buffer): void {
    if (this.#free.length < MAX_FREE) this.#free.push(buffer)
  }
}

export class ReusedReads {
  /** In place of the one that was accepted, which closes with it; that one itself where it cannot be replaced. */
  readonly socket: Socket
  readonly #buffers: ReadBuffers
  readonly #early: Buffer | null
  readonly #isTaken: boolean
  readonly #small = Buffer.allocUnsafeSlow(SMALL_BYTES)
  /** Where the next read lands. */
  #landing: Buffer = this.#small
  #take: Take = () => undefined

  /** @param accepted not flowing */
  constructor(accepted: Socket, buffers: ReadBuffers) {
    this.#buffers = buffers
    this.#early = accepted.read() as Buffer | null
    const onread = { buffer: () => this.#landing, callback: (count: number) => this.#onRead(count) }
    const taken = takeOver(accepted, onread)
    this.#isTaken = taken !== undefined
    this.socket = taken ?? accepted
  }

  /** Flows from now on; it is paused and resumed as any socket. */
  start(take: Take): void {
    this.#take = take
    if (this.#early !== null) take(this.#early, () => undefined)
    if (this.#isTaken) this.socket.resume()
    else this.socket.on('data', (bytes: Buffer) => take(bytes, () => undefined))
  }

  #onRead(count: number): boolean {
    const from = this.#landing
    const came = from.subarray(0, count)
    const isCopied = count < COPIED_BELOW_BYTES
    const isLarge = from !== this.#small
    // What fills the small one, or more than that, is followed by more.
    const staysLarge = isLarge && isCopied && count >= SMALL_BYTES
    if (!staysLarge) this.#landing = count >= SMALL_BYTES ? this.#buffers.take() : this.#small
    if (!isCopied) this.#take(came, () => this.#buffers.give(from))
    else this.#take(Buffer.from(came), () => undefined)
    if (isLarge && isCopied && !staysLarge) this.#buffers.give(from)
    return true
  }
}
