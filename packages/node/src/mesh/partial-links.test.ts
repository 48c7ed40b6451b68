import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type Link, MAX_PART_BYTES, MeshService } from '@skein/core'
import { cureKeyOf, MemoryArchive, noisy, RecordingLogger, tagOf } from '@skein/core/testing'
import { expect, it, onTestFinished, vi } from 'vitest'
import { nativePrimitives } from '../platform/primitives.ts'
import { systemClock, systemRandom } from '../platform/system.ts'

const SIZE = 250_000
const WITHIN = { timeout: 60_000, interval: 20 }
/** Packets over TCP: four bytes of length before each. */
const PREFIX = 4

/** A link over a socket that its cable leaves after so many bytes have come in. */
class SocketLink implements Link {
  readonly mtu = 4_096
  readonly bandwidth = 1_000_000
  readonly isReliable = true
  readonly cost = 0
  bytesIn = 0
  private readonly socket: Socket
  private readonly cutAfter: number

  constructor(socket: Socket, cutAfter = Number.POSITIVE_INFINITY) {
    this.socket = socket
    this.cutAfter = cutAfter
    socket.on('error', () => undefined)
  }

  async send(packet: Uint8Array): Promise<boolean> {
    if (this.socket.destroyed) return false
    const length = Buffer.alloc(PREFIX)
    length.writeUInt32BE(packet.length)
    return new Promise((resolve) => this.socket.write(Buffer.concat([length, packet]), (error) => resolve(!error)))
  }

  async *packets(): AsyncGenerator<Uint8Array> {
    let waiting = Buffer.alloc(0)
    try {
      for await (const chunk of this.socket as AsyncIterable<Buffer>) {
        this.bytesIn += chunk.length
        waiting = Buffer.concat([waiting, chunk])
        while (waiting.length >= PREFIX && waiting.length >= PREFIX + waiting.readUInt32BE()) {
          const end = PREFIX + waiting.readUInt32BE()
          yield new Uint8Array(waiting.subarray(PREFIX, end))
          waiting = waiting.subarray(end)
        }
        if (this.bytesIn >= this.cutAfter) this.close()
      }
    } catch {
      // The other side has pulled its end.
    }
  }

  close(): void {
    this.socket.destroy()
  }
}

async function node(name: string) {
  const archive = new MemoryArchive()
  const received: string[] = []
  const open = async (sealed: Uint8Array): Promise<Uint8Array> => {
    received.push(new TextDecoder().decode(sealed.slice(-32)).trim())
    return cureKeyOf(received.at(-1) ?? '')
  }
  const service = new MeshService({
    ...{ clock: systemClock, random: systemRandom, primitives: nativePrimitives, logger: new RecordingLogger(), archive },
    tags: async () => [tagOf(name)],
    ...{ open, openChunk: open },
    onTaken: () => undefined,
    onProven: () => undefined,
    onExpired: () => undefined,
    onNear: () => undefined,
    onOffence: () => undefined,
  })
  await service.start()
  onTestFinished(() => service.stop())
  return { service, archive, received }
}

/** A connection that ends when `to` has got so many bytes, or when `isDone`. @returns bytes that came in */
async function contact(from: MeshService, to: MeshService, cutAfter: number, isDone: () => boolean): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [accepted] = (await once(server, 'connection')) as [Socket]
  server.close()
  const inwards = new SocketLink(accepted, cutAfter)
  const ended = [from.attach('to', new SocketLink(client)), to.attach('from', inwards)]
  await vi.waitFor(() => expect(accepted.destroyed || isDone()).toBe(true), WITHIN)
  inwards.close()
  client.destroy()
  await Promise.all(ended)
  return inwards.bytesIn
}

it('[ME33] over TCP that breaks again and again, what is larger than any contact comes whole, and hardly a byte twice', async () => {
  const [ana, mule, bo] = [await node('ana'), await node('mule'), await node('bo')]
  const sealed = noisy('part of a file', systemRandom.bytes(SIZE))
  ana.service.carryChunk({ deliveryTag: tagOf('bo'), sealed, cureKey: cureKeyOf('part of a file'), isSmall: false })
  await vi.waitFor(() => expect(ana.archive.held.size).toBe(1), WITHIN)
  for (const [from, to, isDone] of [
    [ana, mule, () => mule.archive.held.size === 1],
    [mule, bo, () => bo.received.length === 1],
  ] as const) {
    const bytes: number[] = []
    while (!isDone()) bytes.push(await contact(from.service, to.service, SIZE / 8, isDone))
    expect(bytes.length).toBeGreaterThanOrEqual(3)
    expect(bytes.length).toBeLessThan(24)
    expect(bytes.reduce((sum, each) => sum + each, 0)).toBeLessThan(SIZE + bytes.length * 3 * MAX_PART_BYTES)
  }
  expect(bo.received).toEqual(['part of a file'])
})
