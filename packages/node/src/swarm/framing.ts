/** Core's Channel over a libp2p stream: frames with a uvarint length, real back-pressure both ways. */
import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import { type Channel, type DeviceId, MAX_FRAME_BYTES } from '@skein/core'
import { decode, encode } from 'it-length-prefixed'
import type { Uint8ArrayList } from 'uint8arraylist'

/** Unread bytes at which the other side is made to wait. Below WebRTC's 4 MiB, past which that transport resets (T3). */
const PAUSE_AT_BYTES = 262_144
/** For frames already queued to leave and for the other side to close its half; then the stream is cut. Milliseconds. */
const CLOSE_TIMEOUT_MS = 10_000

export interface ChannelEvents {
  /** A frame has arrived. */
  onFrame(): void
  /** The other side broke the framing: too large, or no length at all. */
  onOffence(code: 'FRAME_TOO_LARGE' | 'BAD_FRAME'): void
}

export class StreamChannel implements Channel {
  readonly peer: DeviceId
  private readonly stream: Stream
  private readonly events: ChannelEvents
  private readonly chunks: (Uint8Array | Uint8ArrayList)[] = []
  private unread = 0
  private ended = false
  private closed = false
  private lastSend: Promise<unknown> = Promise.resolve()
  private wakeReader: () => void = () => undefined
  private readonly wakeWriters = new Set<() => void>()

  /** Attaches synchronously: a stream without a listener is reset once its buffer is full. */
  constructor(stream: Stream, peer: DeviceId, events: ChannelEvents) {
    this.stream = stream
    this.peer = peer
    this.events = events
    // Idle channels are the normal state; liveness is looked after elsewhere.
    stream.inactivityTimeout = Number.MAX_SAFE_INTEGER
    stream.addEventListener('message', (event) => this.onChunk(event))
    stream.addEventListener('drain', () => this.releaseWriters())
    for (const name of ['close', 'remoteCloseWrite'] as const) stream.addEventListener(name, () => this.end())
  }

  /** @throws RangeError for a frame of any other size than 1 to MAX_FRAME_BYTES bytes */
  async send(frame: Uint8Array): Promise<boolean> {
    if (frame.length === 0 || frame.length > MAX_FRAME_BYTES) throw new RangeError('a frame has 1 to MAX_FRAME_BYTES bytes')
    if (this.closed) return false
    // One after the other: a frame must not overtake one that waits for room.
    const sent = this.lastSend.then(() => this.write(frame))
    this.lastSend = sent
    return sent
  }

  async *frames(): AsyncGenerator<Uint8Array> {
    try {
      for await (const frame of decode(this.bytes(), { maxDataLength: MAX_FRAME_BYTES })) {
        this.events.onFrame()
        // A copy: the transport gives Buffers, whose `slice` shares memory and which keep a whole pool alive.
        yield new Uint8Array(frame.subarray())
      }
    } catch (error) {
      this.onBroken(error)
    } finally {
      this.close()
    }
  }

  close(): void {
    this.end()
    if (this.closed) return
    this.closed = true
    void this.closeStream()
  }

  private async closeStream(): Promise<void> {
    const signal = AbortSignal.timeout(CLOSE_TIMEOUT_MS)
    // Does nothing to a stream that both sides have closed by then.
    signal.addEventListener('abort', () => this.stream.abort(new Error('the other side did not close its half')))
    await this.lastSend
    try {
      await this.stream.close({ signal })
      await this.stream.closeRead({ signal })
    } catch (error) {
      this.stream.abort(asError(error))
    }
  }

  private async write(frame: Uint8Array): Promise<boolean> {
    // Not `onDrain()`: its promise stays resolved after the first drain (T1).
    while (this.isWritable() && this.stream.writableNeedsDrain) await new Promise<void>((resolve) => this.wakeWriters.add(resolve))
    if (!this.isWritable()) return false
    try {
      this.stream.send(encode.single(frame))
      return true
    } catch {
      return false // closed between the look and the write
    }
  }

  private onBroken(error: unknown): void {
    const name = error instanceof Error ? error.name : ''
    if (name === 'InvalidDataLengthError') this.events.onOffence('FRAME_TOO_LARGE')
    // A connection that breaks in the middle of a frame is bad luck, not an offence.
    else if (name !== 'UnexpectedEOFError') this.events.onOffence('BAD_FRAME')
    this.stream.abort(asError(error))
  }

  private isWritable(): boolean {
    return this.stream.status === 'open' && this.stream.writeStatus === 'writable'
  }

  private async *bytes(): AsyncGenerator<Uint8Array | Uint8ArrayList> {
    for (;;) {
      const chunk = this.chunks.shift()
      if (chunk !== undefined) {
        this.unread -= chunk.byteLength
        this.resumeIfRoom()
        yield chunk
      } else if (this.ended) return
      else await new Promise<void>((resolve) => (this.wakeReader = resolve))
    }
  }

  private onChunk({ data }: StreamMessageEvent): void {
    if (this.closed) return
    this.chunks.push(data)
    this.unread += data.byteLength
    if (this.unread >= PAUSE_AT_BYTES && this.stream.readStatus === 'readable') this.stream.pause()
    this.wakeReader()
  }

  private resumeIfRoom(): void {
    if (this.unread < PAUSE_AT_BYTES && this.stream.readStatus === 'paused') this.stream.resume()
  }

  private end(): void {
    this.ended = true
    this.wakeReader()
    this.releaseWriters()
  }

  private releaseWriters(): void {
    for (const wake of this.wakeWriters) wake()
    this.wakeWriters.clear()
  }
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
