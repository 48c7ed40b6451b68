/**
 * Reads a socket straight into the buffers that are wanted. Node.js would make one of 64 KiB for each read and copy a frame
 * together from several: more work than the rest of receiving. It lets only the side that dials choose buffers.
 */
import type { OnReadOpts, Socket } from 'node:net'
import type { ByteReader } from './byte-reader.ts'

const STAGING_BYTES = 65_536

interface Wish {
  readonly target: Buffer
  filled: number
  settle(): void
}

export class LandingReader implements ByteReader {
  /** For a socket that is about to be dialled. */
  readonly onread: OnReadOpts
  /** Two, because the next read has its place before what the last one brought is used up. */
  #staging = [Buffer.allocUnsafeSlow(STAGING_BYTES), Buffer.allocUnsafeSlow(STAGING_BYTES)] as const
  /** Where the next read lands. */
  #landing: Buffer
  /** Came too early for any wish. */
  #early: Buffer = Buffer.alloc(0)
  #wish: Wish | undefined
  #socket: Socket | undefined
  #isStopped = false
  #isOver = false
  #drops = false
  readonly #take: (length: number) => Buffer

  /** @param take memory for what is asked for */
  constructor(take: (length: number) => Buffer = (length) => Buffer.allocUnsafeSlow(length)) {
    this.#take = take
    this.#landing = this.#staging[0]
    this.onread = { buffer: () => this.#landing, callback: (count) => this.#onRead(count) }
  }

  /** The socket that was dialled with `onread`. */
  attach(socket: Socket): void {
    this.#socket = socket
    for (const name of ['end', 'close'] as const) socket.on(name, () => this.#onOver())
  }

  get isEmpty(): boolean {
    return this.#early.length === 0 && this.#wish === undefined && !this.#isOver
  }

  async exactly(count: number, signal?: AbortSignal): Promise<Buffer> {
    const bytes = await this.unlessEnded(count, signal)
    if (bytes === undefined) throw new Error('the raw connection has ended')
    return bytes
  }

  async unlessEnded(count: number, signal?: AbortSignal): Promise<Buffer | undefined> {
    signal?.throwIfAborted()
    const target = this.#take(count)
    const filled = this.#early.copy(target)
    this.#early = this.#early.subarray(filled)
    if (filled === count) return target
    const wish = { target, filled, settle: (): void => undefined }
    if (!this.#isOver) await this.#granted(wish, signal)
    if (wish.filled === count) return target
    signal?.throwIfAborted()
    if (wish.filled > 0 || this.#socket?.errored != null) throw new Error('the raw connection has broken off')
    return undefined
  }

  discard(): void {
    this.#drops = true
    this.#early = Buffer.alloc(0)
    this.#resume()
  }

  async #granted(wish: Wish, signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve) => {
      wish.settle = resolve
      signal?.addEventListener('abort', wish.settle, { once: true })
      this.#wish = wish
      this.#resume()
    })
    signal?.removeEventListener('abort', wish.settle)
    this.#wish = undefined
  }

  /** @returns whether more is wanted */
  #onRead(count: number): boolean {
    const came = this.#landing.subarray(0, count)
    if (this.#drops) return true
    const isDirect = this.#landing !== this.#staging[0] && this.#landing !== this.#staging[1]
    const wish = this.#wish
    if (wish !== undefined && isDirect) wish.filled += count
    else this.#stage(came, wish)
    const isOpen = wish !== undefined && wish.filled < wish.target.length
    this.#landing = isOpen ? wish.target.subarray(wish.filled) : this.#freeStaging(came)
    if (!isOpen) wish?.settle()
    this.#isStopped = !isOpen
    return isOpen
  }

  #stage(came: Buffer, wish: Wish | undefined): void {
    const used = wish === undefined ? 0 : came.copy(wish.target, wish.filled)
    if (wish !== undefined) wish.filled += used
    this.#early = came.subarray(used)
  }

  /** The one in which nothing lies. */
  #freeStaging(came: Buffer): Buffer {
    return came.buffer === this.#staging[0].buffer ? this.#staging[1] : this.#staging[0]
  }

  #resume(): void {
    if (!this.#isStopped) return
    this.#isStopped = false
    this.#socket?.resume()
  }

  #onOver(): void {
    this.#isOver = true
    this.#wish?.settle()
  }
}
