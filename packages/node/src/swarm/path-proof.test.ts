import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Connection, StreamHandler } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { ProtocolId } from '@skein/core'
import { afterEach, expect, it, vi } from 'vitest'
import { systemClock } from '../platform/system.ts'
import { isRelayedConnection } from './connections.ts'
import type { Libp2pSwarm } from './libp2p-swarm.ts'
import { directAddresses, stackOf, TestNetwork } from './test-network.ts'

const ECHO: ProtocolId = '/skein/test-echo/1'
const DEADLINE = { timeout: 20_000, interval: 20 }
const network = new TestNetwork()
const forwards: Forward[] = []
afterEach(async () => {
  await network.clear()
  for (const each of forwards.splice(0)) each.end()
})

/** A port in front of a device, at which what comes from the device can be held back. */
class Forward {
  private readonly server: Server
  private readonly sockets: Socket[] = []
  private held: Buffer[] | undefined

  constructor(port: number) {
    this.server = createServer((near) => {
      const far = connect(port, '127.0.0.1')
      this.sockets.push(near, far)
      for (const each of [near, far]) each.on('error', () => undefined)
      near.pipe(far)
      far.on('data', (data: Buffer) => (this.held === undefined ? near.write(data) : this.held.push(data)))
      far.on('close', () => near.destroy())
    })
    forwards.push(this)
  }

  async address(device: string): Promise<Multiaddr> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve))
    return multiaddr(`/ip4/127.0.0.1/tcp/${(this.server.address() as AddressInfo).port}/p2p/${device}`)
  }

  hold(): void {
    this.held = []
  }

  release(): void {
    for (const data of this.held ?? []) this.sockets.at(-2)?.write(data)
    this.held = undefined
  }

  end(): void {
    this.server.close()
    for (const each of this.sockets) each.destroy()
  }
}

/** Two that have spoken over a relay, and a port in front of the second. */
async function relayed(clock = systemClock): Promise<{ a: Libp2pSwarm; b: Libp2pSwarm; forward: Forward; dial(): Promise<Connection> }> {
  const relay = await network.relay()
  const [a, b] = [await network.swarm({ relays: [relay.url], clock }), await network.swarm({ relays: [relay.url] })]
  await vi.waitFor(() => expect([a, b].flatMap((each) => each.relays()).map(({ reserved }) => reserved)).toEqual([true, true]), DEADLINE)
  b.handle(ECHO, async (channel) => channel.close())
  expect((await a.open(b.self, ECHO)).kind).toBe('open')
  const port = Number(/tcp\/(\d+)/.exec(directAddresses(b).find((each) => /ip4.*tcp\/\d+\/p2p/.test(each)) ?? '')?.[1])
  const forward = new Forward(port)
  const address = await forward.address(b.self)
  const dial = (): Promise<Connection> => {
    // The handshake is over for this side, and the other has not had its last part yet: from now on nothing comes.
    stackOf(a).addEventListener('connection:open', () => forward.hold(), { once: true })
    return stackOf(a).dial(address, { force: true })
  }
  return { a, b, forward, dial }
}

const wayOf = (a: Libp2pSwarm, b: Libp2pSwarm) => a.paths().find(({ device }) => device === b.self)

it('[PT1] a better path on which nothing comes back is not used, and ends', { timeout: 60_000 }, async () => {
  const { a, b, dial } = await relayed()
  let better = 0
  a.listen({ onBetterPath: () => (better += 1) })
  const dead = await dial()
  expect(wayOf(a, b)?.path).toBe('relayed')
  await vi.waitFor(() => expect(dead.status).not.toBe('open'), DEADLINE)
  expect([better, wayOf(a, b)?.path]).toEqual([0, 'relayed'])
})

it('[PT1] a better path is used from when something has come back on it', { timeout: 60_000 }, async () => {
  let ahead = 0
  const { a, b, forward, dial } = await relayed({ ...systemClock, now: () => systemClock.now() + ahead })
  let better = 0
  a.listen({ onBetterPath: () => (better += 1) })
  const { timeline } = await dial()
  expect([better, wayOf(a, b)?.path]).toEqual([0, 'relayed'])
  ahead = 3_600_000
  forward.release()
  await vi.waitFor(() => expect([better > 0, wayOf(a, b)?.path]).toEqual([true, 'lan']), DEADLINE)
  expect(wayOf(a, b)?.since).toBeGreaterThanOrEqual(timeline.open + ahead)
})

it('[PT1] that the other side opens a stream on it is enough', { timeout: 60_000 }, async () => {
  const { a, b, forward, dial } = await relayed()
  // On the new path it answers nothing, and what it says of itself is not heard.
  const anew = { force: true, runOnLimitedConnection: true } as const
  const answer: StreamHandler = (stream, connection) => {
    if (isRelayedConnection(connection)) stream.addEventListener('message', ({ data }) => stream.send(data))
  }
  await stackOf(b).handle('/ipfs/ping/1.0.0', answer, anew)
  await stackOf(b).handle('/ipfs/id/1.0.0', () => undefined, anew)
  await stackOf(a).handle('/ipfs/id/push/1.0.0', () => undefined, anew)
  await dial()
  forward.release()
  await vi.waitFor(() => expect(wayOf(a, b)?.path).toBe('lan'), DEADLINE)
})
