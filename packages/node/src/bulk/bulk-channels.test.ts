import { createHash, randomBytes } from 'node:crypto'
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { peerOf } from '../swarm/connections.ts'
import { directAddresses, stackOf, TestNetwork } from '../swarm/test-network.ts'
import type { Libp2pSwarm } from '../swarm/libp2p-swarm.ts'
import { type BulkConnection, type BulkOutcome, endpointOf } from './index.ts'
import { MAGIC, MAX_BULK_FRAME_BYTES } from './constants.ts'

const WITHIN = { timeout: 60_000 }
const network = new TestNetwork()
const sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await network.clear()
})

/** Connections that a swarm takes for `test`. */
function taking(swarm: Libp2pSwarm): BulkConnection[] {
  const taken: BulkConnection[] = []
  swarm.handleBulk('test', { allows: () => true, onOpened: (each) => taken.push(each) })
  return taken
}

function connectionOf(outcome: BulkOutcome): BulkConnection {
  if (outcome.kind !== 'open') throw new Error(`not opened: ${outcome.reason}`)
  return outcome.connection
}

async function opened(from: Libp2pSwarm, to: Libp2pSwarm): Promise<[BulkConnection, BulkConnection]> {
  const taken = taking(to)
  const connection = connectionOf(await from.openBulk(to.self, 'test'))
  await vi.waitFor(() => expect(taken).toHaveLength(1), WITHIN)
  return [connection, taken[0] as BulkConnection]
}

/** Reads `count` frames. */
async function read(connection: BulkConnection, count: number): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = []
  for await (const frame of connection) if (frames.push(frame) === count) break
  return frames
}

function portOf(swarm: Libp2pSwarm): number {
  return Number(/\/tcp\/(\d+)/.exec(directAddresses(swarm).find((each) => !each.includes('/ws')) ?? '')?.[1])
}

async function rawTo(swarm: Libp2pSwarm, ...parts: readonly Uint8Array[]): Promise<Socket> {
  const socket = createConnection(portOf(swarm), '127.0.0.1')
  sockets.push(socket)
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  for (const part of parts) socket.write(part)
  return socket
}

/** Connected by WebSocket, though both listen for TCP and have said so. */
async function byWebSocket(): Promise<[Libp2pSwarm, Libp2pSwarm]> {
  const listen = { host: '127.0.0.1', port: 0, ws: 0 }
  const [ana, bo] = [await network.swarm({ listen }), await network.swarm({ listen })]
  await ana.learn(
    bo.self,
    directAddresses(bo).filter((each) => each.includes('/ws')),
  )
  await ana.open(bo.self, '/skein/none/1')
  for (const [one, other] of [[ana, bo] as const, [bo, ana] as const])
    await vi.waitFor(async () => {
      const { addresses } = await stackOf(one).peerStore.get(peerOf(other.self))
      expect(addresses.some(({ multiaddr }) => endpointOf(multiaddr.toString())?.port === portOf(other))).toBe(true)
    }, WITHIN)
  expect(ana.paths().find(({ device }) => device === bo.self)?.transport).toBe('ws')
  return [ana, bo]
}

describe('a raw connection without a relay', { timeout: 120_000 }, () => {
  it('[BU4, BU5] carries frames both ways, in order and whole, whichever of the two has dialled', async () => {
    const [ana, bo] = await network.pair()
    await ana.open(bo.self, '/skein/none/1')
    for (const [from, to] of [[ana, bo] as const, [bo, ana] as const]) {
      const [near, far] = await opened(from, to)
      expect([near.via, far.via, near.peer, far.peer]).toEqual(['direct', 'direct', to.self, from.self])
      const frames = [1, 4, 65_536, 262_144, MAX_BULK_FRAME_BYTES].map((size) => randomBytes(size))
      const reading = read(far, frames.length)
      for (const frame of frames) await near.write(frame)
      const sums = (all: readonly Uint8Array[]): string[] => all.map((each) => createHash('sha256').update(each).digest('hex'))
      expect(sums(await reading)).toEqual(sums(frames))
      const [back, forth] = await opened(from, to)
      await forth.write(Uint8Array.of(7))
      expect(await read(back, 1)).toEqual([Buffer.from([7])])
    }
  })

  it('[BU4] is opened where the other listens for TCP, though the two are connected by something else', async () => {
    const [ana, bo] = await byWebSocket()
    const [near, far] = await opened(ana, bo)
    expect([near.via, far.via]).toEqual(['direct', 'direct'])
    await near.write(Uint8Array.of(5))
    expect(await read(far, 1)).toEqual([Buffer.from([5])])
  })

  it('[BU4] the other side dials where the asking one does not get through, past an address that swallows everything', async () => {
    const [ana, bo] = await byWebSocket()
    const silent = createServer((socket) => sockets.push(socket))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const nowhere = [multiaddr('/ip4/127.0.0.1/tcp/1')]
    await stackOf(ana).peerStore.patch(peerOf(bo.self), { multiaddrs: nowhere })
    const first = multiaddr(`/ip4/127.0.0.1/tcp/${(silent.address() as AddressInfo).port}`)
    await stackOf(bo).peerStore.patch(peerOf(ana.self), { multiaddrs: [first, multiaddr(`/ip4/127.0.0.1/tcp/${portOf(ana)}`)] })
    const [near, far] = await opened(ana, bo)
    await far.write(Uint8Array.of(6))
    expect([near.via, await read(near, 1)]).toEqual(['direct', [Buffer.from([6])]])
    silent.close()
  })

  it('[BU5] makes a sender wait whose receiver does not read, and delivers what was written before the end', async () => {
    const [ana, bo] = await network.pair()
    const [near, far] = await opened(ana, bo)
    const frame = new Uint8Array(262_144)
    let written = 0
    const writing = (async () => {
      for (; written < 400; written += 1) await near.write(frame)
      await near.close()
    })()
    let before = -1
    await vi.waitUntil(() => before === (before = written) && written > 0, { timeout: 60_000, interval: 500 })
    // Buffers of the system at both ends; without back-pressure all 100 MiB would have been taken.
    expect(written).toBeLessThan(200)
    let received = 0
    for await (const each of far) received += each.length
    await writing
    expect(received).toBe(400 * frame.length)
  })

  it('[BU5] refuses frames of no size and of too large a one, on both sides', async () => {
    const [ana, bo] = await network.pair()
    const [near, far] = await opened(ana, bo)
    await expect(near.write(new Uint8Array())).rejects.toThrow(RangeError)
    await expect(near.write(new Uint8Array(MAX_BULK_FRAME_BYTES + 1))).rejects.toThrow(RangeError)
    near.abort()
    await expect(near.write(Uint8Array.of(1))).rejects.toThrow()
    await expect(read(far, 1).then((frames) => frames.length)).resolves.toBe(0)
  })

  it('[BU4] is not opened for a purpose that nobody handles, or not for this device', async () => {
    const [ana, bo] = await network.pair()
    expect(await ana.openBulk(bo.self, 'unknown')).toEqual({ kind: 'absent', reason: 'no-route' })
    const taken: BulkConnection[] = []
    const unhandle = bo.handleBulk('private', { allows: () => false, onOpened: (each) => taken.push(each) })
    expect(await ana.openBulk(bo.self, 'private')).toMatchObject({ kind: 'absent' })
    unhandle()
    expect(taken).toEqual([])
  })

  it('[BU8] says that there is none where no way leads, and after the swarm has stopped', async () => {
    const [ana, bo] = await network.pair()
    taking(bo)
    await bo.stop()
    expect(await ana.openBulk(bo.self, 'test')).toMatchObject({ kind: 'absent' })
    await ana.stop()
    expect(await ana.openBulk(bo.self, 'test')).toEqual({ kind: 'absent', reason: 'stopped' })
  })

  it('[BU1, BU2] ends raw connections of strangers, and goes on', async () => {
    const [ana, bo] = await network.pair()
    const over = (socket: Socket): Promise<void> => vi.waitFor(() => expect(socket.closed).toBe(true), WITHIN)
    await over(await rawTo(bo, MAGIC, randomBytes(16)))
    await over(await rawTo(bo, Buffer.from('S'), randomBytes(70_000)))
    await over(await rawTo(bo, Buffer.from('SKEINBK2'), randomBytes(16)))
    // Half a word and silence: the deadline ends it, and nobody waits for it.
    await rawTo(bo, MAGIC.subarray(0, 4))
    const [near, far] = await opened(ana, bo)
    await near.write(Uint8Array.of(1))
    expect(await read(far, 1)).toHaveLength(1)
  })
})
