import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Connection } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { decodeDcutr, encodeDcutr, type DeviceId } from '@skein/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock, systemRandom } from '../platform/system.ts'
import { deviceOf } from '../swarm/connections.ts'
import type { Stack } from '../swarm/client-stack.ts'
import { pingConnection } from '../swarm/liveness.ts'
import { createStack } from '../swarm/stack.ts'
import { silentLogger } from '../swarm/test-network.ts'
import { ATTEMPTS, ATTEMPTS_PER_HOST_AND_MINUTE, FIRST_PORT, LAST_PORT } from './constants.ts'
import { DCUTR_PROTOCOL } from './coordination.ts'
import type { PunchDeps } from './host.ts'
import { openTogether } from './simultaneous-open.ts'
import { TcpPuncher } from './tcp-puncher.ts'

interface Side {
  readonly stack: Stack
  readonly puncher: TcpPuncher
  readonly device: DeviceId
  readonly punched: string[]
}

const servers: Server[] = []
const sides: Side[] = []
const stopping = new AbortController()
let reflector: string
/** Ports from which the reflector was asked. */
const seen: (number | undefined)[] = []

beforeEach(async () => {
  seen.splice(0)
  reflector = await listening((socket) => {
    seen.push(socket.remotePort)
    socket.end(`${socket.remoteAddress}:${socket.remotePort}\n`)
  })
})

afterEach(async () => {
  for (const each of servers.splice(0)) each.close()
  await Promise.all(sides.splice(0).map(({ stack }) => stack.stop()))
})

async function listening(serve: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    serve(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  servers.push(server)
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function side(seed: number, options: Partial<PunchDeps> = {}): Promise<Side> {
  const judge = { verify: () => true, isNewer: () => false }
  const listen = { host: '127.0.0.1', port: 0 }
  const stack = await createStack({ privateKeySeed: new Uint8Array(32).fill(seed), listen, stunServers: () => [], gater: {}, judge })
  const { upgrader, logger } = stack.services.transports
  const punched: string[] = []
  const device = stack.peerId.toString() as DeviceId
  const puncher = new TcpPuncher({
    self: device,
    host: {
      upgrader,
      log: logger.forComponent('test'),
      handle: (protocol, handler) => stack.handle(protocol, handler, { runOnLimitedConnection: true }),
    },
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    reflectors: () => [reflector],
    stunServers: () => [],
    deviceOf: ({ remotePeer }) => deviceOf(remotePeer),
    mayPunch: () => true,
    // Loopback is all there is here.
    mayDial: () => true,
    onGarbage: () => undefined,
    onForged: () => undefined,
    onPunched: (address) => void punched.push(address.toString()),
    onAnswered: () => undefined,
    stopping: stopping.signal,
    ...options,
  })
  await puncher.serve()
  await stack.start()
  const made = { stack, puncher, device, punched }
  sides.push(made)
  return made
}

/** What `b` has of a connection that `a` dialled; it stands for the one over a relay. */
async function joined(a: Side, b: Side): Promise<Connection> {
  await a.stack.dial(b.stack.getMultiaddrs().filter((each) => each.toString().includes('/tcp/')))
  return vi.waitFor(() => {
    const [inbound] = b.stack.getConnections(a.stack.peerId)
    if (inbound === undefined) throw new Error('not yet')
    return inbound
  })
}

/**
 * Loopback has no delay in which two SYNs could cross, so one side listens where both would dial. That both dial through
 * real NATs is proven in the laboratory.
 */
const openByListening: NonNullable<PunchDeps['open']> = async (_targets, { localPort, signal }, onOpen) => {
  const server = createServer((socket) => onOpen(socket, { host: '127.0.0.1', port: socket.remotePort ?? 0 }))
  servers.push(server)
  server.listen(localPort, '127.0.0.1')
  await new Promise((resolve) => signal.addEventListener('abort', resolve))
}

const soon = (): AbortSignal => AbortSignal.timeout(30_000)
const standing = (from: Side, to: Side): Connection[] => from.stack.getConnections(to.stack.peerId)

describe('TCP punch', { timeout: 60_000 }, () => {
  it('[PT5] both sides dial at once, and what opens carries streams both ways without the first connection', async () => {
    const [a, b] = [await side(1), await side(2, { open: openByListening })]
    const relayed = await joined(a, b)
    await b.puncher.punch(relayed, a.device, soon())
    const [first] = standing(a, b)
    await vi.waitFor(() => expect([standing(a, b).length, standing(b, a).length]).toEqual([2, 2]), { timeout: 10_000 })
    await first?.close()
    await vi.waitFor(() => expect([standing(a, b).length, standing(b, a).length]).toEqual([1, 1]), { timeout: 10_000 })
    const [atA, atB] = [standing(a, b)[0], standing(b, a)[0]]
    expect([atA?.direction, atB?.direction]).toEqual(['outbound', 'inbound'])
    if (atA !== undefined && atB !== undefined) await Promise.all([pingConnection(atA, soon()), pingConnection(atB, soon())])
  })

  it('[PT2] who can punch says so on each new connection, with what the library adds when it has said all', async () => {
    const [a, b] = [await side(32), await side(33)]
    await joined(a, b)
    await vi.waitFor(
      async () => {
        const { metadata, protocols } = await b.stack.peerStore.get(a.stack.peerId)
        expect([metadata.has('AgentVersion'), protocols.includes(DCUTR_PROTOCOL)]).toEqual([true, true])
      },
      { timeout: 10_000 },
    )
  })

  it('[PT5] nothing is dialled for a device that is no contact', async () => {
    const [a, b] = [await side(3, { mayPunch: () => false }), await side(4)]
    const relayed = await joined(a, b)
    await expect(b.puncher.punch(relayed, a.device, soon())).rejects.toThrow()
    expect([a.punched, b.punched]).toEqual([[], []])
  })

  it('[PT5] when both begin at once, one coordination goes on', async () => {
    const [a, b] = [await side(5, { open: openByListening }), await side(6)]
    const inbound = await joined(a, b)
    const [outbound] = standing(a, b)
    if (outbound === undefined) throw new Error('no connection')
    await Promise.allSettled([a.puncher.punch(outbound, b.device, soon()), b.puncher.punch(inbound, a.device, soon())])
    await vi.waitFor(() => expect([standing(a, b).length, standing(b, a).length]).toEqual([2, 2]), { timeout: 10_000 })
  })

  it('[PT5] whoever answers at the address becomes a connection only if it is the device', async () => {
    const impostor = await side(7)
    const port = impostor.stack
      .getMultiaddrs()[0]
      ?.getComponents()
      .find(({ name }) => name === 'tcp')?.value
    const [a, b] = [await side(8), await side(9)]
    await joined(a, b)
    const stream = await a.stack.dialProtocol(b.stack.peerId, DCUTR_PROTOCOL)
    const messages = lpStream(stream)
    for (let round = 0; round < 3; round += 1) {
      await messages.write(encodeDcutr({ kind: 'connect', addresses: [multiaddr(`/ip4/127.0.0.1/tcp/${port}`).bytes] }))
      expect(decodeDcutr((await messages.read()).subarray()).kind).toBe('connect')
      await messages.write(encodeDcutr({ kind: 'sync' }))
    }
    await expect(messages.read()).rejects.toThrow()
    expect(b.punched.length).toBeGreaterThan(0)
    expect([standing(b, a).length, standing(b, impostor).length]).toEqual([1, 0])
  })

  it('[PT5] what answers and is no device at all is counted', async () => {
    const port = Number((await listening((socket) => socket.write('220 mail.example ESMTP\r\n'))).split(':')[1])
    let garbage = 0
    const [a, b] = [await side(30), await side(31, { onGarbage: () => (garbage += 1) })]
    await joined(a, b)
    const messages = lpStream(await a.stack.dialProtocol(b.stack.peerId, DCUTR_PROTOCOL))
    await messages.write(encodeDcutr({ kind: 'connect', addresses: [multiaddr(`/ip4/127.0.0.1/tcp/${port}`).bytes] }))
    await messages.read()
    await messages.write(encodeDcutr({ kind: 'sync' }))
    await vi.waitFor(() => expect(garbage).toBe(1), { timeout: 10_000 })
  })

  it('[PT5] of two ports that answer, one may be silent and the other reset what waits for it', async () => {
    const opened: Socket[] = []
    const open: NonNullable<PunchDeps['open']> = (targets, options, onOpen) =>
      openTogether(targets, options, (socket, target) => {
        opened.push(socket)
        onOpen(socket, target)
      })
    const accepted: Socket[] = []
    const silent = new Set<Socket>()
    const listen = (): Promise<string> =>
      listening((socket) => {
        accepted.push(socket)
        socket.once('data', () => silent.add(socket))
      })
    const ports = [await listen(), await listen()].map((each) => Number(each.split(':')[1]))
    const [a, b] = [await side(20), await side(21, { open })]
    await joined(a, b)
    const messages = lpStream(await a.stack.dialProtocol(b.stack.peerId, DCUTR_PROTOCOL))
    const begin = encodeDcutr({ kind: 'connect', addresses: ports.map((port) => multiaddr(`/ip4/127.0.0.1/tcp/${port}`).bytes) })
    await messages.write(begin)
    await messages.read()
    await messages.write(encodeDcutr({ kind: 'sync' }))
    await vi.waitFor(() => expect([opened.length, accepted.length, silent.size]).toEqual([2, 2, 1]), { timeout: 10_000 })
    for (const each of accepted) if (!silent.has(each)) each.resetAndDestroy()
    await vi.waitFor(() => expect(opened.filter(({ destroyed }) => destroyed)).toHaveLength(1), { timeout: 10_000 })
    for (const each of silent) each.destroy()
    // The next attempt: nothing was made of the one that was reset.
    await messages.write(begin)
    expect(decodeDcutr((await messages.read()).subarray()).kind).toBe('connect')
    expect(b.punched).toHaveLength(1)
  })

  it('[PT5] a stream that speaks otherwise ends the coordination, and is counted', async () => {
    let forged = 0
    const [a, b] = [await side(10), await side(11, { onForged: () => (forged += 1) })]
    await a.stack.unhandle(DCUTR_PROTOCOL)
    await a.stack.handle(DCUTR_PROTOCOL, async (stream) => {
      const messages = lpStream(stream)
      await messages.read()
      await messages.write(Uint8Array.of(0xff, 0xff, 0xff))
    })
    await expect(b.puncher.punch(await joined(a, b), a.device, soon())).rejects.toThrow()
    expect([b.punched, forged]).toEqual([[], 1])
  })

  it('[PT5] where no port is free the other side is told at once', async () => {
    const port = Number((await listening(() => undefined)).split(':')[1])
    const random = { ...systemRandom, uniform: () => (port - FIRST_PORT + 0.5) / (LAST_PORT - FIRST_PORT) }
    const [a, b] = [await side(14, { random }), await side(15)]
    await expect(b.puncher.punch(await joined(a, b), a.device, soon())).rejects.toMatchObject({
      name: expect.stringMatching(/^Stream(Reset|State)/),
    })
  })

  it('[PT6] attempts that one contact uses up are there for another', async () => {
    const dialled: string[] = []
    const open: NonNullable<PunchDeps['open']> = async (targets) => void dialled.push(targets.map(({ port }) => port).join())
    const ends: (string | undefined)[] = []
    const onAnswered: PunchDeps['onAnswered'] = (_device, _by, error) => void ends.push(error?.message)
    const [a, b, c] = [await side(16), await side(17), await side(18, { open, onAnswered })]
    const ask = async (from: Side, port: number): Promise<void> => {
      const messages = lpStream(await from.stack.dialProtocol(c.stack.peerId, DCUTR_PROTOCOL))
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        await messages.write(encodeDcutr({ kind: 'connect', addresses: [multiaddr(`/ip4/9.9.9.9/tcp/${port}`).bytes] }))
        await messages.read()
        await messages.write(encodeDcutr({ kind: 'sync' }))
      }
      await expect(messages.read()).rejects.toThrow()
    }
    await joined(a, c)
    await joined(b, c)
    for (let punches = 0; punches < ATTEMPTS_PER_HOST_AND_MINUTE / ATTEMPTS; punches += 1) await ask(a, 1)
    // Said before anything is answered: who asks has dialled nowhere.
    await expect(ask(a, 1)).rejects.toMatchObject({ name: expect.stringMatching(/^Stream(Reset|State)/) })
    await vi.waitFor(() => expect(ends.at(-1)).toBe('tried often enough in this minute'), { timeout: 10_000 })
    await ask(b, 2)
    const named = (port: string): number => dialled.filter((each) => each === port).length
    expect([dialled.length, named('1'), named('2')]).toEqual([
      ATTEMPTS_PER_HOST_AND_MINUTE + ATTEMPTS,
      ATTEMPTS_PER_HOST_AND_MINUTE,
      ATTEMPTS,
    ])
  })

  it('[PT9] a port that was seen in another network is not told to anybody', async () => {
    const [a] = [await side(19)]
    const asked = (): number => seen.length
    a.puncher.prepare()
    a.puncher.prepare()
    await vi.waitFor(() => expect(asked()).toBe(1), { timeout: 10_000 })
    a.puncher.move()
    a.puncher.prepare()
    await vi.waitFor(() => expect(asked()).toBe(2), { timeout: 10_000 })
    expect(seen[0]).not.toBe(seen[1])
  })

  it('[PT5] a device that is reached directly meanwhile is left alone', async () => {
    const silent = await listening(() => undefined)
    const [a, b] = [await side(12, { reflectors: () => [silent] }), await side(13)]
    const punching = b.puncher.punch(await joined(a, b), a.device, soon())
    b.puncher.settle(a.device)
    await expect(punching).rejects.toThrow()
    expect(standing(a, b).length).toBe(1)
  })
})
