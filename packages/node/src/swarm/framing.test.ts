import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Libp2p, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { MAX_FRAME_BYTES, parseDeviceId } from '@skein/core'
import { createLibp2p } from 'libp2p'
import { expect, it, vi } from 'vitest'
import { StreamChannel } from './framing.ts'

const PROTOCOL = '/skein/test/1'

interface Ends extends AsyncDisposable {
  readonly near: Stream
  readonly far: Stream
}

/** A real stream between two real nodes, both ends in hand. */
async function connected(): Promise<Ends> {
  const make = async (): Promise<Libp2p> =>
    createLibp2p({
      privateKey: await generateKeyPair('Ed25519'),
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
    })
  const [a, b] = await Promise.all([make(), make()])
  const arrived = new Promise<Stream>((resolve) => void b.handle(PROTOCOL, (stream) => resolve(stream)))
  const connection = await a.dial(b.getMultiaddrs())
  const near = await connection.newStream(PROTOCOL)
  return { near, far: await arrived, [Symbol.asyncDispose]: async () => void (await Promise.all([a.stop(), b.stop()])) }
}

const peer = parseDeviceId('12D3KooWMbJdqScnpsu5AdB2vMpiMkJnXFt9sY5UTUBWNkntrKaX')
const quiet = { onFrame: () => undefined, onOffence: () => undefined }

it('[WF1] frames arrive whole and in order, at every size up to the limit', async () => {
  await using ends = await connected()
  const [near, far] = [new StreamChannel(ends.near, peer, quiet), new StreamChannel(ends.far, peer, quiet)]
  const sizes = [1, 127, 128, 16_383, 16_384, MAX_FRAME_BYTES]
  for (const size of sizes) expect(await near.send(new Uint8Array(size).fill(size & 0xff))).toBe(true)
  near.close()
  const seen: number[] = []
  for await (const frame of far.frames()) {
    expect(frame.every((byte) => byte === (frame.length & 0xff))).toBe(true)
    seen.push(frame.length)
  }
  expect(seen).toEqual(sizes)
  expect(await near.send(Uint8Array.of(1))).toBe(false)
  await expect(far.send(new Uint8Array(MAX_FRAME_BYTES + 1))).rejects.toThrow(RangeError)
})

it.each([
  // 2^24, then bytes that look like its beginning.
  ['over the limit', 'FRAME_TOO_LARGE', Uint8Array.of(0x80, 0x80, 0x80, 0x08, ...new Uint8Array(1_000))],
  ['that is none', 'BAD_FRAME', new Uint8Array(1_000).fill(0xff)],
])('[WF1] a length of a frame %s ends the stream and counts as an offence', async (_name, code, bytes) => {
  await using ends = await connected()
  const offences: string[] = []
  const far = new StreamChannel(ends.far, peer, { ...quiet, onOffence: (each) => offences.push(each) })
  ends.near.send(bytes)
  const seen = []
  for await (const frame of far.frames()) seen.push(frame)
  expect(seen).toEqual([])
  expect(offences).toEqual([code])
})

it('[WF7] a receiver that does not read stops the sender: little is queued of 64 MiB, again and again', async () => {
  await using ends = await connected()
  const [near, far] = [new StreamChannel(ends.near, peer, quiet), new StreamChannel(ends.far, peer, quiet)]
  const frame = new Uint8Array(MAX_FRAME_BYTES)
  const total = 1_024
  let accepted = 0
  const sending = (async () => {
    for (; accepted < total; accepted += 1) await near.send(frame)
    near.close()
  })()
  await vi.waitFor(() => expect(ends.near.writableNeedsDrain).toBe(true), { timeout: 5_000 })
  const reader = far.frames()[Symbol.asyncIterator]()
  for (let read = 0; read < total; read += 1) {
    expect((await reader.next()).done).toBe(false)
    // Both buffers, the muxer's window and the kernel's sockets together; without waiting it is all 1,024 at once.
    expect(accepted - read).toBeLessThan(320)
    expect(ends.near.writeBufferLength).toBeLessThan(2_097_152)
  }
  await sending
}, 30_000)
