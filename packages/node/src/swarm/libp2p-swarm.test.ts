import type { StreamHandler } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  type Channel,
  communityNetwork,
  type DeviceId,
  encodePresenceFrame,
  makeIdentity,
  MAX_FRAME_BYTES,
  openIdentity,
  type ProtocolId,
  type RelayStatus,
  signPresence,
} from '@skein/core'
import { swarmContract } from '@skein/core/contracts'
import { nativePrimitives } from '../platform/primitives.ts'
import { systemClock, systemRandom } from '../platform/system.ts'
import { isRelayedConnection } from './connections.ts'
import { SETTLED_MS } from './constants.ts'
import type { Libp2pSwarm } from './libp2p-swarm.ts'
import { acquaint, directAddresses, stackOf, TestNetwork } from './test-network.ts'

const ECHO: ProtocolId = '/skein/test-echo/1'
const DEADLINE = { timeout: 20_000, interval: 20 }
const network = new TestNetwork()
afterEach(() => network.clear())

swarmContract('libp2p', async () => {
  const [a, b] = await network.pair()
  return { a, b, end: () => network.clear() }
})

async function echo(channel: Channel): Promise<void> {
  for await (const frame of channel.frames()) await channel.send(frame)
}

async function echoes(from: Libp2pSwarm, to: DeviceId, relays: readonly string[] = []): Promise<boolean> {
  const outcome = await from.open(to, ECHO, { relays })
  if (outcome.kind !== 'open') return false
  await outcome.channel.send(new Uint8Array([42]))
  for await (const frame of outcome.channel.frames()) return frame[0] === 42
  return false
}

const isJoined = (swarm: Libp2pSwarm): boolean => swarm.relays().every((each) => each.reserved) && swarm.relays().length > 0
const untilJoined = (swarm: Libp2pSwarm): Promise<void> => vi.waitFor(() => expect(isJoined(swarm)).toBe(true), DEADLINE)

describe('swarm: start and stop', { timeout: 60_000 }, () => {
  it('starts and stops twice, keeps what was registered, and answers "stopped" in between', async () => {
    const [a, b] = await network.pair()
    b.handle(ECHO, echo)
    await b.start()
    await b.stop()
    await b.stop()
    expect(await b.open(a.self, ECHO)).toEqual({ kind: 'absent', reason: 'stopped' })
    expect(b.addresses()).toEqual([])
    await b.start()
    await acquaint(a, b)
    await vi.waitFor(async () => expect(await echoes(a, b.self)).toBe(true), DEADLINE)
  })

  it('says which port is in use', async () => {
    const a = await network.swarm()
    const port = Number(/tcp\/(\d+)/.exec(a.addresses()[0] ?? '')?.[1])
    await expect(network.swarm({ listen: { host: '127.0.0.1', port } })).rejects.toMatchObject({ code: 'PORT_IN_USE' })
  })
})

describe('swarm: relays', { timeout: 90_000 }, () => {
  it('joins a relay, reports it, and reaches a device that is known by its relay only', async () => {
    const relay = await network.relay()
    const [a, b] = [await network.swarm(), await network.swarm({ relays: [relay.url] })]
    const seen: RelayStatus[] = []
    b.listen({ onRelay: (status) => seen.push(status) })
    b.handle(ECHO, echo)
    await untilJoined(b)
    expect(await echoes(a, b.self, [relay.url])).toBe(true)
    expect(a.paths().find(({ device }) => device === b.self)).toMatchObject({ path: 'relayed', transport: 'circuit' })
    expect(seen.at(-1)).toMatchObject({ device: relay.stack().peerId, connected: true, reserved: true })
  })

  it('joins a relay that was away at the start', async () => {
    const relay = await network.relay()
    await relay.stop()
    const b = await network.swarm({ relays: [relay.url] })
    expect(isJoined(b)).toBe(false)
    await relay.start(102)
    await untilJoined(b)
  })

  it('joins again after the relay came back on other ports, and once more with another key', async () => {
    const relay = await network.relay()
    const [a, b] = [await network.swarm(), await network.swarm({ relays: [relay.url] })]
    b.handle(ECHO, echo)
    await untilJoined(b)
    for (const seed of [101, 103]) {
      await relay.stop()
      await vi.waitFor(() => expect(isJoined(b)).toBe(false), DEADLINE)
      await relay.start(seed)
      await untilJoined(b)
      expect(b.relays()[0]?.device).toBe(relay.stack().peerId)
      expect(
        b
          .addresses()
          .filter((each) => each.includes('/p2p-circuit'))
          .every((each) => each.includes(relay.stack().peerId)),
      ).toBe(true)
      await vi.waitFor(async () => expect(await echoes(a, b.self, [relay.url])).toBe(true), DEADLINE)
    }
  })

  it('keeps its place with one relay while another goes and comes with another key', async () => {
    const [stays, goes] = [await network.relay(110), await network.relay(111)]
    const [a, b] = [await network.swarm(), await network.swarm({ relays: [stays.url, goes.url] })]
    b.handle(ECHO, echo)
    await untilJoined(b)
    await goes.stop()
    await vi.waitFor(() => expect(isJoined(b)).toBe(false), DEADLINE)
    await goes.start(112)
    await untilJoined(b)
    expect(stays.stack().counts().reservations).toBe(1)
    expect(await echoes(a, b.self, [stays.url])).toBe(true)
  })
})

describe('swarm: connections', { timeout: 60_000 }, () => {
  it('shares one dial among concurrent opens', async () => {
    const [a, b] = await network.pair()
    b.handle(ECHO, echo)
    let connections = 0
    b.listen({ onConnected: () => (connections += 1) })
    expect(await Promise.all(Array.from({ length: 8 }, () => echoes(a, b.self)))).toEqual(Array(8).fill(true))
    expect(connections).toBe(1)
    expect(connectionsOf(b, a.self)).toBe(1)
  })

  it('keeps one connection when both sides dial at once, and it works for both, gossip included', async () => {
    const [a, b] = await network.pair()
    for (const each of [a, b]) each.handle(ECHO, echo)
    const heard: string[] = []
    b.subscribe('/skein/test', async (bytes) => (heard.push(new TextDecoder().decode(bytes)), 'accept'))
    a.subscribe('/skein/test', async () => 'accept')
    const both = await Promise.all([echoes(a, b.self), echoes(b, a.self)])
    expect(both).toEqual([true, true])
    await vi.waitFor(() => expect([connectionsOf(a, b.self), connectionsOf(b, a.self)]).toEqual([1, 1]), DEADLINE)
    expect(await Promise.all([echoes(a, b.self), echoes(b, a.self)])).toEqual([true, true])
    let said = 0
    await vi.waitFor(async () => {
      await a.publish('/skein/test', new TextEncoder().encode(`${said++}`))
      expect(heard).not.toEqual([])
    }, DEADLINE)
  })

  it('[PT9] what changes beside the way out casts no doubt on what stands, and what has answered is moved to only by what has left it', async () => {
    const relay = await network.relay()
    let later = 0
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + later }
    const [a, b] = [await network.swarm({ relays: [relay.url], clock }), await network.swarm({ relays: [relay.url] })]
    await Promise.all([untilJoined(a), untilJoined(b), acquaint(a, b)])
    b.handle(ECHO, echo)
    const state = { better: 0, asked: 0, held: Promise.withResolvers<void>() }
    a.listen({ onBetterPath: () => (state.better += 1) })
    const answer: StreamHandler = (stream, connection) => {
      if (!isRelayedConnection(connection)) state.asked += 1
      const until = isRelayedConnection(connection) ? Promise.resolve() : state.held.promise
      stream.addEventListener('message', ({ data }) => void until.then(() => stream.send(data)))
    }
    await stackOf(b).handle('/ipfs/ping/1.0.0', answer, { force: true, runOnLimitedConnection: true })
    expect(await echoes(a, b.self)).toBe(true)
    const way = (): string | undefined => a.paths().find(({ device }) => device === b.self)?.path
    later = 2 * SETTLED_MS
    const hop = stackOf(a)
      .getConnections()
      .find(({ remotePeer }) => remotePeer.toString() === relay.stack().peerId)
    const circuit = await stackOf(a).dial(multiaddr(`${hop?.remoteAddr}/p2p-circuit/p2p/${b.self}`), { force: true })
    const agreed = (): boolean => circuit.streams.every(({ protocol }) => protocol !== '')
    await vi.waitFor(() => expect([state.asked > 0, way(), agreed()]).toEqual([true, 'relayed', true]), DEADLINE)
    state.held.resolve()
    await vi.waitFor(() => expect(way()).toBe('lan'), DEADLINE)
    expect(state.better).toBe(0)

    const change = { present: new Set(['127.0.0.1']), hasLost: false, sleptMs: 0 }
    state.asked = 0
    a.move({ ...change, isSameWay: true })
    expect(await echoes(a, b.self)).toBe(true)
    expect([state.asked, state.better]).toEqual([0, 0])

    state.held = Promise.withResolvers<void>()
    a.move({ ...change, isSameWay: false })
    await vi.waitFor(() => expect(way()).toBe('relayed'), DEADLINE)
    const meanwhile = await a.open(b.self, ECHO)
    state.held.resolve()
    await vi.waitFor(() => expect([state.better, way()]).toEqual([1, 'lan']), DEADLINE)
    expect(meanwhile.kind).toBe('open')
  })

  it('[PT1] of two connections that are both in use one is left: whoever uses the other is told to move', async () => {
    const [smaller, larger] = (await network.pair()).sort((a, b) => (a.self < b.self ? -1 : 1)) as [Libp2pSwarm, Libp2pSwarm]
    for (const each of [smaller, larger]) each.handle(ECHO, echo)
    const first = await larger.open(smaller.self, ECHO)
    if (first.kind !== 'open') throw new Error(first.reason)
    await first.channel.send(Uint8Array.of(1))
    const stays = directAddresses(larger).map((each) => multiaddr(each))
    await stackOf(smaller).dial(stays, { force: true })
    await vi.waitFor(() => expect(connectionsOf(larger, smaller.self)).toBe(2), DEADLINE)
    larger.listen({ onBetterPath: () => first.channel.close() })
    await vi.waitFor(() => expect([connectionsOf(smaller, larger.self), connectionsOf(larger, smaller.self)]).toEqual([1, 1]), DEADLINE)
    expect(await Promise.all([echoes(smaller, larger.self), echoes(larger, smaller.self)])).toEqual([true, true])
  })

  it('goes on hearing gossip when the first of two connections closes', async () => {
    const [smaller, larger] = (await network.pair()).sort((a, b) => (a.self < b.self ? -1 : 1)) as [Libp2pSwarm, Libp2pSwarm]
    const heard: string[] = []
    smaller.subscribe('/skein/test', async () => 'accept')
    larger.subscribe('/skein/test', async (bytes) => (heard.push(new TextDecoder().decode(bytes)), 'accept'))
    smaller.handle(ECHO, echo)
    expect(await echoes(larger, smaller.self)).toBe(true)
    const say = async (text: string): Promise<void> => {
      await smaller.publish('/skein/test', new TextEncoder().encode(`${text} ${Math.random()}`))
      expect(heard.filter((each) => each.startsWith(text))).not.toEqual([])
    }
    await vi.waitFor(() => say('over the first'), DEADLINE)
    // The rule of both sides keeps the one that the smaller has dialled, which is the second.
    await stackOf(smaller).dial(
      directAddresses(larger).map((each) => multiaddr(each)),
      { force: true },
    )
    await vi.waitFor(() => expect(connectionsOf(larger, smaller.self)).toBe(2), DEADLINE)
    await vi.waitFor(() => expect([connectionsOf(smaller, larger.self), connectionsOf(larger, smaller.self)]).toEqual([1, 1]), DEADLINE)
    await vi.waitFor(() => say('over the second'), DEADLINE)
  })

  it('lets in more than five devices a second from behind one address', async () => {
    const [host, ...guests] = await Promise.all(Array.from({ length: 13 }, () => network.swarm()))
    if (host === undefined) throw new Error('no host')
    host.handle(ECHO, echo)
    await Promise.all(guests.map((each) => each.learn(host.self, directAddresses(host))))
    expect(await Promise.all(guests.map((each) => echoes(each, host.self)))).toEqual(Array(guests.length).fill(true))
  })

  it('drops a device after repeated offences and refuses it', async () => {
    const [a, b] = await network.pair()
    for (const each of [a, b]) each.handle(ECHO, echo)
    expect(await echoes(a, b.self)).toBe(true)
    for (let offence = 0; offence < 10; offence += 1) b.penalise(a.self, 'BAD_FRAME')
    await vi.waitFor(() => expect([a.isConnected(b.self), b.isConnected(a.self)]).toEqual([false, false]), DEADLINE)
    expect(await b.open(a.self, ECHO)).toEqual({ kind: 'absent', reason: 'refused' })
    expect(await echoes(a, b.self).catch(() => false)).toBe(false)
    await vi.waitFor(() => expect(b.isConnected(a.self)).toBe(false), DEADLINE)
  })

  it('makes the sender of a slow reader wait', async () => {
    const [a, b] = await network.pair()
    let release: () => void = () => undefined
    const stalled = new Promise<void>((resolve) => (release = resolve))
    let received = 0
    b.handle(ECHO, async (channel) => {
      await stalled
      for await (const frame of channel.frames()) received += frame.length
    })
    const outcome = await a.open(b.self, ECHO)
    if (outcome.kind !== 'open') throw new Error(outcome.reason)
    let accepted = 0
    const sending = (async () => {
      while (accepted < 64 * 1_048_576 && (await outcome.channel.send(new Uint8Array(MAX_FRAME_BYTES)))) accepted += MAX_FRAME_BYTES
    })()
    // Steady for a second while nobody reads: whatever is on the way by then is all that is queued.
    let before = -1
    await vi.waitFor(
      () => {
        const steady = accepted > 0 && accepted === before
        before = accepted
        expect(steady).toBe(true)
      },
      { timeout: 20_000, interval: 1_000 },
    )
    expect(accepted).toBeLessThanOrEqual(2 * 1_048_576)
    release()
    await sending
    await vi.waitFor(() => expect(received).toBe(accepted), DEADLINE)
    expect(received).toBe(64 * 1_048_576)
  })
})

describe('swarm: gossip', { timeout: 90_000 }, () => {
  it('reaches everyone among more than ten devices behind one address', async () => {
    const hub = await network.relay()
    const swarms = await Promise.all(Array.from({ length: 14 }, () => network.swarm({ relays: [hub.url] })))
    const topic = `/skein/presence/1/${hub.stack().peerId}`
    const identity = openIdentity(nativePrimitives, makeIdentity(systemRandom, 1))
    const community = communityNetwork(nativePrimitives, hub.stack().peerId as DeviceId)
    const heard = swarms.map(() => 0)
    swarms.forEach((each, at) => each.subscribe(topic, async () => ((heard[at] = (heard[at] ?? 0) + 1), 'accept')))
    await Promise.all(swarms.map(untilJoined))
    await vi.waitFor(
      async () => {
        const own = signPresence(nativePrimitives, identity, { network: community, at: Date.now(), name: '', lease: 0 })
        await swarms[0]?.publish(topic, encodePresenceFrame({ kind: 'presence', own }))
        expect(heard.slice(1).filter((times) => times > 0).length).toBe(swarms.length - 1)
      },
      { timeout: 40_000, interval: 500 },
    )
  })
})

function connectionsOf(swarm: Libp2pSwarm, device: DeviceId): number {
  return swarm.connectionCount(device)
}
