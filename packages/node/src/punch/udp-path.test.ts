import { VirtualClock } from '@skein/core/testing'
import { describe, expect, it } from 'vitest'
import type { Endpoint } from '../stun/index.ts'
import { findPath, type PathSearch } from './udp-path.ts'
import { type NatSide, planPunch } from './udp-plan.ts'
import type { PunchSocket } from './udx.ts'

const OWN = new Uint8Array(16).fill(1)
const THEIRS = new Uint8Array(16).fill(2)
const HOST = '9.9.9.9'

interface Sent {
  readonly to: Endpoint
  readonly at: number
  readonly ttl: number | undefined
  readonly bytes: Uint8Array
}

/** A socket on which the test is the network. */
class FakeSocket {
  readonly sent: Sent[] = []
  private readonly clock: VirtualClock
  private receive: ((bytes: Buffer, from: Endpoint) => void) | undefined

  constructor(clock: VirtualClock) {
    this.clock = clock
  }

  send(bytes: Uint8Array, to: Endpoint, ttl?: number): void {
    this.sent.push({ to, at: this.clock.monotonic(), ttl, bytes })
  }

  listen(receive: (bytes: Buffer, from: Endpoint) => void): () => void {
    this.receive = receive
    return () => (this.receive = undefined)
  }

  hear(bytes: readonly number[], from: Endpoint): void {
    this.receive?.(Buffer.from(bytes), from)
  }
}

/** The machine sleeps while nothing runs on it. */
class SleepyClock extends VirtualClock {
  sleptMs = 0

  override monotonic(): number {
    return super.monotonic() + this.sleptMs
  }
}

const same: NatSide = { mapping: 'same', port: 4_000, step: 0 }
const random: NatSide = { mapping: 'random', port: 50_000, step: 0 }

function begin(mine: NatSide, theirs: NatSide, options: Partial<PathSearch> = {}) {
  const clock = new SleepyClock()
  const stopping = new AbortController()
  const plan = planPunch(mine, theirs, 7)
  if (plan === undefined) throw new Error('no plan')
  const sockets = Array.from({ length: plan.sockets }, () => new FakeSocket(clock))
  const found = findPath({
    plan,
    sockets: sockets as unknown as readonly PunchSocket[],
    host: HOST,
    ownNonce: OWN,
    theirNonce: THEIRS,
    decides: true,
    clock,
    signal: stopping.signal,
    onGarbage: () => undefined,
    ...options,
  })
  return { clock, sockets, found, stop: () => stopping.abort() }
}

const packet = (kind: number, nonce: Uint8Array): number[] => [0x5b, kind, ...nonce]

describe('search for a UDP path', () => {
  it('[PT8] sends at most 250 packets a second, to the proven address alone, and to no port twice', async () => {
    const { clock, sockets, found, stop } = begin(same, random)
    await clock.advance(10_000)
    stop()
    await clock.advance(100)
    expect(await found).toBeUndefined()
    const [{ sent }] = sockets as [FakeSocket]
    expect(sent.length).toBeGreaterThan(2_000)
    for (let second = 0; second < 10; second += 1)
      expect(sent.filter(({ at }) => at >= second * 1_000 && at < (second + 1) * 1_000).length).toBeLessThanOrEqual(251)
    expect(new Set(sent.map(({ to }) => to.host))).toEqual(new Set([HOST]))
    expect(new Set(sent.map(({ to }) => to.port)).size).toBe(sent.length)
  })

  it('[PT8] makes up for a few late packets, and not for a sleep of the machine', async () => {
    const { clock, sockets, found, stop } = begin(same, random)
    await clock.advance(100)
    const [{ sent }] = sockets as [FakeSocket]
    const before = sent.length
    clock.sleptMs = 60_000
    await clock.advance(4)
    expect(sent.length - before).toBeLessThanOrEqual(30)
    stop()
    await clock.advance(100)
    await found
  })

  it('[PT8] ends when a plan has no ports at all', async () => {
    const { clock, sockets, found, stop } = begin(same, random, {
      plan: { sockets: 1, kind: 'search', isRepeated: false, ports: () => [] },
    })
    await clock.advance(100)
    expect(sockets.flatMap(({ sent }) => sent)).toEqual([])
    stop()
    await clock.advance(100)
    expect(await found).toBeUndefined()
  })

  it('[PT8] sends no more than 2,500 probes, however long the search', async () => {
    const { clock, sockets, found, stop } = begin(same, { mapping: 'sequential', port: 30_000, step: 1 })
    await clock.advance(30_000)
    expect(sockets.flatMap(({ sent }) => sent).length).toBe(2_500)
    stop()
    await clock.advance(100)
    await found
  })

  it('[PT8] opens many mappings by packets that do not arrive, once each', async () => {
    const { clock, sockets, found, stop } = begin(random, same)
    await clock.advance(1_000)
    stop()
    await clock.advance(100)
    await found
    const [first, ...others] = sockets
    expect(others.map(({ sent }) => sent.map(({ ttl, to }) => [ttl, to.port]))).toEqual(others.map(() => [[5, 4_000]]))
    expect(first?.sent.every(({ ttl }) => ttl === undefined)).toBe(true)
    expect(first?.sent.length).toBeLessThanOrEqual(12)
  })

  it('[PT8] packets without the nonce, from another host, or of another length change nothing, get no answer and are counted', async () => {
    let garbage = 0
    const { clock, sockets, found, stop } = begin(same, same, { onGarbage: () => (garbage += 1) })
    const [socket] = sockets as [FakeSocket]
    await clock.advance(10)
    const before = socket.sent.length
    const from = { host: HOST, port: 4_000 }
    socket.hear(packet(1, THEIRS), from)
    socket.hear(packet(4, new Uint8Array(16)), from)
    socket.hear(packet(4, OWN), { host: '8.8.8.8', port: 53 })
    socket.hear([...packet(4, OWN), 0], from)
    socket.hear([], from)
    socket.hear([0x5b], from)
    expect([socket.sent.length, garbage]).toEqual([before, 6])
    // Of the streams beneath, and an answer of a STUN server that comes late.
    socket.hear([0xff, 1, 2], from)
    socket.hear([1, 1, 0, 0], from)
    expect(garbage).toBe(6)
    stop()
    await clock.advance(100)
    expect(await found).toBeUndefined()
  })

  it('[PT8] a path is taken when both have agreed to it, at the port that the packet came from', async () => {
    const { clock, sockets, found } = begin(same, random)
    const [socket] = sockets as [FakeSocket]
    await clock.advance(50)
    socket.hear(packet(1, OWN), { host: HOST, port: 31_337 })
    await clock.advance(50)
    expect(socket.sent.some(({ to, bytes }) => to.port === 31_337 && bytes[1] === 3)).toBe(true)
    socket.hear(packet(4, OWN), { host: HOST, port: 31_337 })
    await clock.advance(100)
    expect(await found).toMatchObject({ to: { host: HOST, port: 31_337 } })
  })

  it('[PT8] who has agreed says so again when asked again, until that is over: the answer may have been lost', async () => {
    const { clock, sockets, found } = begin(same, random, { decides: false })
    const [socket] = sockets as [FakeSocket]
    const from = { host: HOST, port: 31_337 }
    await clock.advance(50)
    socket.hear(packet(3, OWN), from)
    await clock.advance(100)
    const path = await found
    expect(path).toMatchObject({ to: from })
    const agreed = (): number => socket.sent.filter(({ to, bytes }) => to.port === from.port && bytes[1] === 4).length
    const before = agreed()
    socket.hear(packet(1, OWN), from)
    socket.hear(packet(3, THEIRS), from)
    socket.hear(packet(3, OWN), { host: '8.8.8.8', port: 53 })
    expect(agreed()).toBe(before)
    socket.hear(packet(3, OWN), from)
    expect(agreed()).toBe(before + 1)
    path?.stop()
    socket.hear(packet(3, OWN), from)
    expect(agreed()).toBe(before + 1)
  })
})
