/** Raw connections that the main thread has handed over. Runs in the worker. */
import type { DeviceId } from '@skein/core'
import { SocketBulkConnection } from '../bulk/bulk-connection.ts'
import { LandingReader } from '../bulk/landing-reader.ts'
import { socketOn, type Transferable } from '../bulk/socket-handle.ts'
import type { ChunkBuffers } from './chunk-buffers.ts'

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
  private last: Promise<unknown> = Promise.resolve()

  constructor(handle: Transferable, buffers: ChunkBuffers) {
    this.buffers = buffers
    const reader = new LandingReader((length) => buffers.take(length))
    const socket = socketOn(handle, reader.onread)
    reader.attach(socket)
    this.connection = new SocketBulkConnection({ socket, reader }, { peer: '' as DeviceId, via: 'direct' })
    this.frames = this.connection[Symbol.asyncIterator]()
  }

  /** In the order of the calls. @returns whether it was taken */
  send({ sealed: making, kept }: SealedChunk): Promise<boolean> {
    const sending = Promise.all([making, this.last]).then(([sealed]) => this.write(sealed, kept))
    this.last = sending.catch(() => undefined)
    return sending
  }

  private async write(sealed: Uint8Array, kept: boolean): Promise<boolean> {
    try {
      await this.connection.write(sealed, kept ? undefined : () => this.buffers.give(sealed))
      return true
    } catch {
      return false
    }
  }

  /** `undefined` when it has ended, or broken off. */
  async receive(): Promise<Uint8Array | undefined> {
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
  async send(lane: number, chunk: SealedChunk): Promise<boolean> {
    const there = this.lanes.get(lane)
    if (there !== undefined) return there.send(chunk)
    await chunk.sealed
    return false
  }

  /** @param write what becomes of a frame of `length` bytes */
  async receive(lane: number, length: number, write: (frame: Uint8Array) => Promise<void>): Promise<'written' | 'unfit' | 'ended'> {
    const frame = await this.lanes.get(lane)?.receive()
    if (frame === undefined) return 'ended'
    if (frame.length !== length) return 'unfit'
    await write(frame)
    this.buffers.give(frame)
    return 'written'
  }

  close(lane: number): void {
    this.lanes.get(lane)?.close()
    this.lanes.delete(lane)
  }
}
