import { multiaddr } from '@multiformats/multiaddr'
import type { DeviceId, RelayStatus } from '@skein/core'
import { seededRandom, VirtualClock } from '@skein/core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { peerOf } from './connections.ts'
import { REJOIN_FIRST_MS, RESERVATION_CHECK_MS } from './constants.ts'
import { rejoinDelay, RelaySupervisor, type SupervisorDeps } from './relay-supervisor.ts'
import { silentLogger } from './test-network.ts'

/** A relay that is looked for, and never says anything. */
function world(uniform?: () => number) {
  const clock = new VirtualClock()
  const random = seededRandom(1)
  const state = { asked: 0, given: 0, hangs: true, fail: (): void => undefined }
  const deps = {
    stack: { getConnections: () => [], addEventListener: () => undefined, removeEventListener: () => undefined },
    reservations: { isReserved: () => false, onLost: () => () => undefined },
    describe: (_url: string, signal: AbortSignal) => {
      state.asked += 1
      signal.addEventListener('abort', () => (state.given += 1), { once: true })
      if (!state.hangs) return Promise.reject(new Error('refused'))
      return new Promise((_resolve, reject) => (state.fail = () => reject(new Error('refused'))))
    },
    admit: async () => undefined,
    onChange: () => undefined,
  }
  const supervisor = new RelaySupervisor('http://relay.test', {
    ...deps,
    clock,
    random: uniform === undefined ? random : { ...random, uniform },
    logger: silentLogger,
  } as unknown as SupervisorDeps)
  const stopping = new AbortController()
  const done = supervisor.run(stopping.signal)
  return { clock, state, supervisor, stop: () => stopping.abort(), done }
}

/** A relay that is there, and whose place can be taken away while the connection stands. */
function standing() {
  const device = '12D3KooWSCoMBZDM1dDE1JZt1rnvTgxbxdw5QCNMjP9NSj1b4sqi' as DeviceId
  const connection = { status: 'open', remoteAddr: multiaddr('/ip4/192.0.2.1/tcp/1'), remotePeer: peerOf(device) }
  const clock = new VirtualClock()
  const state = { isReserved: false, isDue: false, hangs: false, asked: 0, described: 0, lose: (_relay: DeviceId): void => undefined }
  const supervisor = new RelaySupervisor('http://relay.test', {
    stack: { getConnections: () => [connection], addEventListener: () => undefined, removeEventListener: () => undefined },
    reservations: {
      isReserved: () => state.isReserved,
      isDue: () => state.isDue,
      onLost: (tell: (relay: DeviceId) => void) => ((state.lose = tell), () => undefined),
      reserve: async () => {
        state.asked += 1
        if (state.hangs) await new Promise(() => undefined)
        state.isReserved = true
        state.isDue = false
      },
    },
    describe: async () => {
      state.described += 1
      return { device, addresses: [], stun: [], reflector: null, givesPlaces: true }
    },
    admit: async () => undefined,
    onChange: () => undefined,
    clock,
    random: seededRandom(1),
    logger: silentLogger,
  } as unknown as SupervisorDeps)
  const stopping = new AbortController()
  const done = supervisor.run(stopping.signal)
  const lose = (): void => {
    state.isReserved = false
    state.lose(device)
  }
  return { clock, state, supervisor, lose, stop: () => stopping.abort(), done }
}

describe('a relay supervisor', () => {
  it('[PT15] asks at once for a place that is lost while the connection stands', async () => {
    const { clock, state, supervisor, lose, stop, done } = standing()
    await clock.advance(1_000)
    expect([supervisor.status().reserved, state.asked]).toEqual([true, 1])
    lose()
    await clock.advance(0)
    expect([supervisor.status().reserved, state.asked, state.described]).toEqual([true, 2, 1])
    stop()
    await done
  })

  it('[PT15] asks anew for a place that stands when it is time to', async () => {
    const { clock, state, supervisor, stop, done } = standing()
    await clock.advance(RESERVATION_CHECK_MS + 1_000)
    expect(state.asked).toBe(1)
    state.isDue = true
    await clock.advance(2 * RESERVATION_CHECK_MS)
    expect([supervisor.status().reserved, state.asked, state.described]).toEqual([true, 2, 1])
    stop()
    await done
  })

  it('[PT15] begins anew when the network changes while it asks for such a place in vain', async () => {
    const { clock, state, supervisor, lose, stop, done } = standing()
    await clock.advance(1_000)
    state.hangs = true
    lose()
    await clock.advance(2_000)
    expect([state.asked, state.described]).toEqual([2, 1])
    state.hangs = false
    supervisor.hurry()
    await clock.advance(0)
    expect([supervisor.status().reserved, state.asked, state.described]).toEqual([true, 3, 2])
    stop()
    await done
  })

  it('[PT15] begins a try that hangs anew when the network changes, at once', async () => {
    const { clock, state, supervisor, stop, done } = world()
    await clock.advance(2_000)
    expect(state).toMatchObject({ asked: 1, given: 0 })
    supervisor.hurry()
    await clock.advance(0)
    expect(state).toMatchObject({ asked: 2, given: 1 })
    stop()
    await done
  })

  it('leaves one alone that has only begun', async () => {
    const { clock, state, supervisor, stop, done } = world()
    for (let changes = 0; changes < 5; changes += 1) {
      await clock.advance(100)
      supervisor.hurry()
    }
    expect(state).toMatchObject({ asked: 1, given: 0 })
    stop()
    await done
  })

  it('ends one that has only begun when it turns out to hang, and begins the next one without a wait', async () => {
    const { clock, state, supervisor, stop, done } = world()
    await clock.advance(100)
    supervisor.hurry()
    await clock.advance(899)
    expect(state).toMatchObject({ asked: 1, given: 0 })
    await clock.advance(1)
    expect(state).toMatchObject({ asked: 2, given: 1 })
    await clock.advance(60_000)
    expect(state).toMatchObject({ asked: 2, given: 1 })
    stop()
    await done
  })

  it('when a try that was hurried fails, the next one comes at once', async () => {
    const { clock, state, supervisor, stop, done } = world()
    for (let failures = 0; failures < 8; failures += 1) {
      await clock.advance(20_000)
      state.fail()
    }
    await clock.advance(20_000)
    supervisor.hurry()
    await clock.advance(0)
    supervisor.hurry()
    const before = state.asked
    state.fail()
    await clock.advance(0)
    expect(state.asked).toBe(before + 1)
    stop()
    await done
  })

  it('[PT15] waits at random, longer after each failure and never longer than a bound, which is small while the outage is young', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.nat(60_000), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempts, awayMs, chance) => {
        const isYoung = awayMs < 30_000
        const most = Math.min(isYoung ? 1_250 : 10_000, REJOIN_FIRST_MS * 2 ** attempts)
        const part = isYoung ? (1 + chance) / 2 : chance
        expect(rejoinDelay({ attempts, awayMs }, { ...seededRandom(1), uniform: () => chance })).toBeCloseTo(part * most)
      }),
    )
  })

  it('[PT15] a relay that is away for less than half a minute is asked every 1.25 s at least, then more seldom', async () => {
    const { clock, state, stop, done } = world(() => 0.999)
    state.hangs = false
    state.fail()
    const asked: number[] = []
    for (let before = 0; clock.monotonic() < 120_000; before = state.asked) {
      await clock.advance(100)
      if (state.asked > before) asked.push(clock.monotonic())
    }
    const waits = asked.slice(1).map((at, before) => at - (asked[before] ?? 0))
    expect(Math.max(...waits.filter((_, at) => (asked[at] ?? 0) < 27_000))).toBeLessThanOrEqual(1_350)
    expect(Math.max(...waits)).toBeGreaterThan(9_000)
    stop()
    await done
  })

  it('[PT14] others can be dialled over a relay as soon as it has admitted us, and no longer when it gives no place', async () => {
    const device = '12D3KooWSCoMBZDM1dDE1JZt1rnvTgxbxdw5QCNMjP9NSj1b4sqi' as DeviceId
    const connection = { status: 'open', remoteAddr: multiaddr('/ip4/192.0.2.1/tcp/1'), remotePeer: peerOf(device) }
    const [admitted, place] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()]
    const seen: string[] = []
    const clock = new VirtualClock()
    const supervisor = new RelaySupervisor('http://relay.test', {
      stack: { getConnections: () => [connection], addEventListener: () => undefined, removeEventListener: () => undefined },
      reservations: { isReserved: () => false, reserve: () => place.promise, onLost: () => () => undefined },
      describe: async () => ({ device, addresses: [], stun: [], reflector: null, givesPlaces: true }),
      admit: () => admitted.promise,
      onChange: ({ connected, passable, reserved }: RelayStatus) => void seen.push([connected, passable, reserved].join(' ')),
      clock,
      random: seededRandom(1),
      logger: silentLogger,
    } as unknown as SupervisorDeps)
    const stopping = new AbortController()
    const done = supervisor.run(stopping.signal)
    await clock.advance(10)
    expect(supervisor.description()).toBeUndefined()
    admitted.resolve(undefined)
    await clock.advance(10)
    expect(supervisor.description()?.device).toBe(device)
    place.reject(new Error('full'))
    await clock.advance(10)
    expect(supervisor.description()).toBeUndefined()
    expect(seen.slice(0, 3)).toEqual(['true false false', 'true true false', 'true false false'])
    stopping.abort()
    await done
  })
})
