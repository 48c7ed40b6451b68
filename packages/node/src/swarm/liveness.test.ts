import { type DeviceId, deviceIdFromKey } from '@skein/core'
import { describe, expect, it } from 'vitest'
import { VirtualClock } from '@skein/core/testing'
import { Liveness } from './liveness.ts'

const DEVICE = deviceIdFromKey(new Uint8Array(32).fill(1))
/** The wait for the first ping, and three that fail one after the other, milliseconds. */
const UNTIL_DEAD = 15_000 + 3 * 5_000

function setUp(ping: () => Promise<void>) {
  const clock = new VirtualClock()
  const alive: DeviceId[] = []
  let aborted = false
  const connection = { id: '1', device: DEVICE, ping, abort: () => (aborted = true) }
  const liveness = new Liveness({ clock, connections: () => (aborted ? [] : [connection]), onAlive: (device) => alive.push(device) })
  const stopping = new AbortController()
  const running = liveness.run(stopping.signal)
  return { clock, liveness, connection, alive, isAborted: () => aborted, stop: () => (stopping.abort(), running) }
}

const never = (): Promise<void> => new Promise(() => undefined)

describe('liveness', () => {
  it('reports each answered ping', async () => {
    const { clock, alive, isAborted, stop } = setUp(() => Promise.resolve())
    await clock.advance(60_000)
    expect(alive.length).toBe(4)
    expect(isAborted()).toBe(false)
    await stop()
  })

  it('ends a connection after three pings without an answer, not before', async () => {
    const { clock, isAborted, stop } = setUp(never)
    await clock.advance(UNTIL_DEAD - 1)
    expect(isAborted()).toBe(false)
    await clock.advance(1)
    expect(isAborted()).toBe(true)
    await stop()
  })

  it('ends a connection that is in doubt soon, unless it answers', async () => {
    for (const [ping, dead] of [
      [never, true],
      [() => Promise.resolve(), false],
    ] as const) {
      const { clock, liveness, connection, isAborted, stop } = setUp(ping)
      const doubted = liveness.doubt(connection, new AbortController().signal)
      await clock.advance(3_000)
      await doubted
      expect(isAborted()).toBe(dead)
      await stop()
    }
  })

  it('[DL6] does not end a connection that is in doubt while something comes over it, however late its answer', async () => {
    const { clock, liveness, connection, isAborted, stop } = setUp(never)
    const { signal } = new AbortController()
    const slow = liveness.doubt(connection, signal)
    await clock.advance(2_000)
    liveness.sign(DEVICE, connection.id)
    await clock.advance(1_000)
    await slow
    expect(isAborted()).toBe(false)
    const dead = liveness.doubt(connection, signal)
    await clock.advance(2_000)
    liveness.sign(DEVICE, 'another')
    await clock.advance(1_000)
    await dead
    expect(isAborted()).toBe(true)
    await stop()
  })

  it('asks a connection once at a time, whoever doubts it', async () => {
    let pings = 0
    const { clock, liveness, connection, isAborted, stop } = setUp(() => ((pings += 1), clock.sleep(100).then(() => undefined)))
    const { signal } = new AbortController()
    const doubts = Array.from({ length: 20 }, () => liveness.doubt(connection, signal))
    await clock.advance(100)
    await Promise.all(doubts)
    expect([pings, isAborted()]).toEqual([1, false])
    await stop()
  })

  it('knows connections of one device apart: neither does one speak for another that is dead, nor is its round trip that of the other', async () => {
    const clock = new VirtualClock()
    const dead = new Set<string>()
    const of = (id: string, ping: () => Promise<void>) => ({ id, device: DEVICE, ping, abort: () => void dead.add(id) })
    const all = [of('direct', never), of('circuit', () => clock.sleep(80).then(() => undefined))]
    const connections = () => all.filter(({ id }) => !dead.has(id))
    const liveness = new Liveness({ clock, connections, onAlive: () => undefined })
    const stopping = new AbortController()
    const running = liveness.run(stopping.signal)
    for (let at = 0; at < UNTIL_DEAD; at += 1_000) {
      liveness.sign(DEVICE, 'circuit')
      await clock.advance(1_000)
    }
    expect([...dead]).toEqual(['direct'])
    expect([liveness.rtt('direct'), liveness.rtt('circuit')]).toEqual([undefined, 80])
    stopping.abort()
    await running
  })

  it('leaves a busy connection alone, however late its pings', async () => {
    const { clock, liveness, isAborted, stop } = setUp(never)
    for (let round = 0; round < 30; round += 1) {
      await clock.advance(4_000)
      liveness.sign(DEVICE, '1')
    }
    expect(isAborted()).toBe(false)
    await stop()
  })
})
