/** Raw connections that the main thread has handed over. Runs in the worker. */
import type { DeviceId } from '@skein/core'
import { SocketBulkConnection } from '../bulk/bulk-connection.ts'
import { LandingReader } from '../bulk/landing-reader.ts'
import { socketOn, type Transferable } from '../bulk/socket-handle.ts'
import type { ChunkBuffers } from './chunk-buffers.ts'

/** Chunks in memory of one connection: the one that the socket has, or gives, and the one beside it. */
const AT_ONCE = 2

export interface SealedChunk {
  readonly sealed: Promise<Uint8Array>
  /** By somebody else, too: its memory is not to be used again. */
  readonly kept: boolean
}

/** One connection: frames one way or the other. */
class RawLane {
  private readonly buffers: ChunkBuffers
  private readonly connection: SocketBulkConnection
  private readonly frames: AsyncIterator<Uint8Array>
  /** The last ones that were begun, each resolved when it is dealt with. */
  private readonly begun: Promise<unknown>[] = []
  private turn: Promise<unknown> = Promise.resolve()

  constructor(handle: Transferable, buffers: ChunkBuffers) {
    this.buffers = buffers
    const reader = new LandingReader((length) => buffers.take(length))
    const socket = socketOn(handle, reader.onread)
    reader.attach(socket)
    this.connection = new SocketBulkConnection({ socket, reader }, { peer: '' as DeviceId, via: 'direct' })
    this.frames = this.connection[Symbol.asyncIterator]()
  }

  /** In the order of the calls; made when there is room for it. @returns whether it was taken @throws what `make` throws */
  send(make: () => SealedChunk): Promise<boolean> {
    return this.inTurn(async (before) => {
      const { sealed, kept } = make()
      const bytes = await sealed
      await before
      return this.write(bytes, kept)
    })
  }

  /** @param use what becomes of a frame; `undefined` when the connection has ended, or broken off */
  receive<T>(use: (frame: Uint8Array | undefined) => Promise<T>): Promise<T> {
    return this.inTurn(async () => use(await this.next()))
  }

  /** Begins when all but the last one are dealt with. */
  private inTurn<T>(work: (before: Promise<unknown>) => Promise<T>): Promise<T> {
    const [first, last] = [this.begun.at(-AT_ONCE), this.begun.at(-1)]
    // After the one before has begun, too: of two that are under way the second may be the first that is done.
    this.turn = Promise.all([this.turn, first])
    const done = this.turn.then(() => work(Promise.resolve(last)))
    this.begun.push(done.catch(() => undefined))
    if (this.begun.length > AT_ONCE) this.begun.shift()
    return done
  }

  private async write(sealed: Uint8Array, kept: boolean): Promise<boolean> {
    try {
      await this.connection.write(sealed, kept ? undefined : () => this.buffers.give(sealed))
      return true
    } catch {
      return false
    }
  }

  private async next(): Promise<Uint8Array | undefined> {
    try {
      const { value, done } = await this.frames.next()
      return done ? undefined : (value as Uint8Array)
    } catch {
      return undefined
    }
  }

  /** What was sent is still delivered. */
  close(): void {
    void this.connection.close()
  }
}

export class RawLanes {
  private readonly lanes = new Map<number, RawLane>()
  private readonly buffers: ChunkBuffers
  private count = 0

  constructor(buffers: ChunkBuffers) {
    this.buffers = buffers
  }

  adopt(handle: Transferable): number {
    this.count += 1
    this.lanes.set(this.count, new RawLane(handle, this.buffers))
    return this.count
  }

  /** @returns `false` when the connection has ended @throws what the making of the chunk throws */
  async send(lane: number, make: () => SealedChunk): Promise<boolean> {
    const there = this.lanes.get(lane)
    return there === undefined ? false : there.send(make)
  }

  /** @param write what becomes of a frame of `length` bytes */
  async receive(lane: number, length: number, write: (frame: Uint8Array) => Promise<void>): Promise<'written' | 'unfit' | 'ended'> {
    const there = this.lanes.get(lane)
    if (there === undefined) return 'ended'
    return there.receive(async (frame) => {
      if (frame === undefined) return 'ended'
      if (frame.length !== length) return 'unfit'
      await write(frame)
      this.buffers.give(frame)
      return 'written'
    })
  }

  close(lane: number): void {
    this.lanes.get(lane)?.close()
    this.lanes.delete(lane)
  }
}
