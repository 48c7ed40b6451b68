/**
 * Frames on a data channel of WebRTC. libp2p makes one of each stream, and sends on it in messages of 16 KiB, each in two
 * envelopes, and again only when nothing is left to send. A stream for bulk is taken out of its hands when it has been
 * opened: what the messages hold is then ours, and DTLS protects it as before.
 */
import type { Stream } from '@libp2p/interface'
import type { DeviceId } from '@skein/core'
import type { BulkConnection } from './bulk-connection.ts'
import { CLOSE_WITHIN_MS, MAX_BULK_FRAME_BYTES } from './constants.ts'

/** Message that every browser takes, in bytes. */
const MESSAGE_BYTES = 65_536
/** Handed to the browser and not sent yet, in bytes: enough to keep it busy while others work, far below the 16 MiB that Chromium takes. */
const AHEAD_BYTES = 4_194_304
const LENGTH_BYTES = 4
/** Read by nobody yet, in bytes; credit keeps it far below. A sender that goes beyond is cut off. */
const MAX_UNREAD_BYTES = 33_554_432

/** What is used of an RTCDataChannel, of a browser or of Node.js. */
export interface DataChannel {
  readonly readyState: string
  readonly bufferedAmount: number
  bufferedAmountLowThreshold: number
  onmessage: ((event: { readonly data: ArrayBuffer }) => void) | null
  onbufferedamountlow: (() => void) | null
  send(data: Uint8Array<ArrayBuffer>): void
  close(): void
  addEventListener(type: 'close', listener: () => void): void
}

/** The data channel under a stream; `undefined` for a stream of another transport. */
export function dataChannelOf(stream: Stream): DataChannel | undefined {
  return (stream as Stream & { readonly channel?: DataChannel }).channel
}

export class DataChannelConnection implements BulkConnection {
  readonly peer: DeviceId
  readonly via = 'direct'
  private readonly channel: DataChannel
  private readonly frames: Uint8Array[] = []
  private unread = 0
  /** Of the frame that is coming: what is there, and how much. */
  private coming: { readonly bytes: Uint8Array; at: number } | undefined
  private isOver = false
  private wakeReader: () => void = () => undefined
  private wakeWriter: () => void = () => undefined
  private writing: Promise<void> = Promise.resolve()

  /** From here on libp2p sees nothing of what comes. */
  constructor(channel: DataChannel, peer: DeviceId) {
    this.channel = channel
    this.peer = peer
    channel.bufferedAmountLowThreshold = AHEAD_BYTES / 2
    channel.onbufferedamountlow = () => this.wakeWriter()
    channel.onmessage = ({ data }) => this.onMessage(new Uint8Array(data))
    channel.addEventListener('close', () => this.end())
    if (channel.readyState !== 'open') this.end()
  }

  write(frame: Uint8Array, onGone?: () => void): Promise<void> {
    if (frame.length === 0 || frame.length > MAX_BULK_FRAME_BYTES) throw new RangeError('a frame has 1 to MAX_BULK_FRAME_BYTES bytes')
    // One after the other: pieces of two frames must not mix.
    const written = this.writing.then(() => this.writeNow(frame as Uint8Array<ArrayBuffer>)).then(onGone)
    this.writing = written.catch(() => undefined)
    return written
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const frame = this.frames.shift()
        if (frame !== undefined) {
          this.unread -= frame.length
          yield frame
        } else if (this.isOver) return
        else await new Promise<void>((resolve) => (this.wakeReader = resolve))
      }
    } finally {
      this.abort()
    }
  }

  /** What was written goes out before. */
  async close(): Promise<void> {
    await this.writing
    const late = setTimeout(() => this.end(), CLOSE_WITHIN_MS)
    try {
      if (!this.isOver) this.channel.bufferedAmountLowThreshold = 0
      while (!this.isOver && this.channel.bufferedAmount > 0) await new Promise<void>((resolve) => (this.wakeWriter = resolve))
    } catch {
      // The library throws at one that it has destroyed, of which it tells later: nothing goes out there any more.
    } finally {
      clearTimeout(late)
      this.abort()
    }
  }

  abort(): void {
    this.channel.close()
    this.end()
  }

  async handOver<T>(): Promise<T | undefined> {
    return Promise.resolve(undefined)
  }

  private async writeNow(frame: Uint8Array<ArrayBuffer>): Promise<void> {
    const length = new Uint8Array(LENGTH_BYTES)
    new DataView(length.buffer).setUint32(0, frame.length)
    await this.put(length)
    for (let at = 0; at < frame.length; at += MESSAGE_BYTES) await this.put(frame.subarray(at, at + MESSAGE_BYTES))
  }

  /** @throws Error when it has ended */
  private async put(message: Uint8Array<ArrayBuffer>): Promise<void> {
    while (!this.isOver && this.channel.bufferedAmount > AHEAD_BYTES) await new Promise<void>((resolve) => (this.wakeWriter = resolve))
    if (this.isOver) throw new Error('the data channel has ended')
    this.channel.send(message)
  }

  private onMessage(data: Uint8Array): void {
    if (this.isOver || data.length === 0) return
    if (this.coming === undefined) this.begin(data)
    else this.goOn(this.coming, data)
  }

  /** A message of its own says how long the next frame is. */
  private begin(data: Uint8Array): void {
    const length = data.length === LENGTH_BYTES ? new DataView(data.buffer, data.byteOffset).getUint32(0) : 0
    this.unread += length
    const isFit = length > 0 && length <= MAX_BULK_FRAME_BYTES && this.unread <= MAX_UNREAD_BYTES
    if (isFit) this.coming = { bytes: new Uint8Array(length), at: 0 }
    else this.abort()
  }

  private goOn(coming: { readonly bytes: Uint8Array; at: number }, data: Uint8Array): void {
    const { bytes, at } = coming
    const isFit = at + data.length <= bytes.length
    if (isFit) bytes.set(data, at)
    else this.abort()
    coming.at += data.length
    if (!isFit || coming.at < bytes.length) return
    this.coming = undefined
    this.frames.push(bytes)
    this.wakeReader()
  }

  private end(): void {
    this.isOver = true
    this.wakeReader()
    this.wakeWriter()
  }
}
