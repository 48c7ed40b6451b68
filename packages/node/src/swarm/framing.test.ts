import { setImmediate as turn } from 'node:timers/promises'
import { StreamMessageEvent, type Stream } from '@libp2p/interface'
import { deviceIdFromKey, MAX_FRAME_BYTES } from '@skein/core'
import { encode } from 'it-length-prefixed'
import { Uint8ArrayList } from 'uint8arraylist'
import { describe, expect, it } from 'vitest'
import { StreamChannel } from './framing.ts'

const PEER = deviceIdFromKey(new Uint8Array(32).fill(1))
const FRAME = new Uint8Array(1_000).fill(7)

/** A stream that takes one frame, then wants draining; what it does with `onDrain` is what the library does (T1). */
class FakeStream extends EventTarget {
  status = 'open'
  writeStatus = 'writable'
  readStatus = 'readable'
  writableNeedsDrain = false
  inactivityTimeout = 0
  aborted: Error | undefined
  readonly sent: Uint8ArrayList[] = []

  send(bytes: Uint8Array | Uint8ArrayList): boolean {
    if (this.writeStatus !== 'writable') throw new Error('closed')
    this.sent.push(new Uint8ArrayList(bytes))
    this.writableNeedsDrain = true
    return false
  }
  /** Stays resolved after the first time, as in @libp2p/utils 7.4.1. */
  onDrain(): Promise<void> {
    return Promise.resolve()
  }
  drain(): void {
    this.writableNeedsDrain = false
    this.dispatchEvent(new Event('drain'))
  }
  arrive(bytes: Uint8Array | Uint8ArrayList): void {
    this.dispatchEvent(new StreamMessageEvent(bytes))
  }
  pause(): void {
    this.readStatus = 'paused'
  }
  resume(): void {
    this.readStatus = 'readable'
  }
  abort(error: Error): void {
    if (this.status !== 'open') return
    this.aborted = error
    this.status = 'aborted'
    this.writeStatus = 'closed'
    this.dispatchEvent(new Event('close'))
  }
  async close(): Promise<void> {
    this.writeStatus = 'closed'
  }
  async closeRead(): Promise<void> {
    this.readStatus = 'closed'
  }
}

function channel() {
  const stream = new FakeStream()
  const offences: string[] = []
  let frames = 0
  const events = { onFrame: () => void frames++, onOffence: (code: string) => void offences.push(code) }
  return { stream, offences, count: () => frames, channel: new StreamChannel(stream as unknown as Stream, PEER, events) }
}

async function read(from: StreamChannel): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = []
  for await (const frame of from.frames()) frames.push(frame)
  return frames
}

describe('channel over a stream', () => {
  it('waits for every drain, not only for the first', async () => {
    const { stream, channel: own } = channel()
    const sends = Array.from({ length: 5 }, (_, at) => own.send(new Uint8Array([at + 1])))
    for (let drained = 1; drained <= 5; drained += 1) {
      await turn()
      expect(stream.sent.length).toBe(drained)
      stream.drain()
    }
    expect(await Promise.all(sends)).toEqual([true, true, true, true, true])
    expect(stream.sent.map((each) => each.subarray()[1])).toEqual([1, 2, 3, 4, 5])
  })

  it('resolves waiting sends with false when the stream closes', async () => {
    const { stream, channel: own } = channel()
    await own.send(FRAME)
    const waiting = own.send(FRAME)
    await turn()
    stream.abort(new Error('gone'))
    expect(await waiting).toBe(false)
    expect(await own.send(FRAME)).toBe(false)
  })

  it('pauses the stream while nobody reads, and resumes it', async () => {
    const { stream, channel: own } = channel()
    const frame = encode.single(new Uint8Array(MAX_FRAME_BYTES))
    for (let at = 0; at < 4; at += 1) stream.arrive(frame)
    expect(stream.readStatus).toBe('paused')
    const frames = own.frames()
    await frames.next()
    await frames.next()
    expect(stream.readStatus).toBe('readable')
  })

  it('joins frames from pieces of any size, and keeps what came before a clean end', async () => {
    const { stream, channel: own, count } = channel()
    const bytes = new Uint8ArrayList(encode.single(FRAME), encode.single(FRAME)).subarray()
    for (let at = 0; at < bytes.length; at += 7) stream.arrive(bytes.subarray(at, at + 7))
    stream.dispatchEvent(new Event('remoteCloseWrite'))
    expect(await read(own)).toEqual([FRAME, FRAME])
    expect(count()).toBe(2)
  })

  it.each([
    ['a frame one byte too large', encode.single(new Uint8Array(MAX_FRAME_BYTES + 1)).subarray(), 'FRAME_TOO_LARGE'],
    ['a length of ten bytes', new Uint8Array(10).fill(0xff), 'FRAME_TOO_LARGE'],
    ['an announcement of 1 GiB', Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x04), 'FRAME_TOO_LARGE'],
  ])('aborts the stream and reports an offence for %s, without throwing', async (_name, bytes, code) => {
    const { stream, offences, channel: own } = channel()
    stream.arrive(bytes)
    expect(await read(own)).toEqual([])
    expect(offences).toEqual([code])
    expect(stream.aborted).toBeDefined()
  })

  it('ends without offence when a connection breaks within a frame', async () => {
    const { stream, offences, channel: own } = channel()
    stream.arrive(encode.single(FRAME).subarray().slice(0, 100))
    stream.abort(new Error('reset'))
    expect(await read(own)).toEqual([])
    expect(offences).toEqual([])
  })
})
