import { multiaddr } from '@multiformats/multiaddr'
import type { DeviceId, RelayStatus } from '@skein/core'
import { seededRandom, VirtualClock } from '@skein/core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { peerOf } from './connections.ts'
import { REJOIN_FIRST_MS, REJOIN_MOST_MS } from './constants.ts'
import { rejoinDelay, RelaySupervisor, type SupervisorDeps } from './relay-supervisor.ts'
import { silentLogger } from './test-network.ts'

/** A relay that is looked for, and never says anything. */
function world() {
  const clock = new VirtualClock()
  const state = { asked: 0, given: 0 }
  const deps = {
    stack: { getConnections: () => [], addEventListener: () => undefined, removeEventListener: () => undefined },
    reservations: { isReserved: () => false },
    describe: (_url: string, signal: AbortSignal) => {
      state.asked += 1
      signal.addEventListener('abort', () => (state.given += 1), { once: true })
      return new Promise(() => undefined)
    },
    admit: async () => undefined,
    onChange: () => undefined,
  }
  const supervisor = new RelaySupervisor('http://relay.test', {
    ...deps,
    clock,
    random: seededRandom(1),
    logger: silentLogger,
  } as unknown as SupervisorDeps)
  const stopping = new AbortController()
  const done = supervisor.run(stopping.signal)
  return { clock, state, supervisor, stop: () => stopping.abort(), done }
}

describe('a relay supervisor', () => {
  it('begins a try that hangs anew when the network changes, at once', async () => {
    const { clock, state, supervisor, stop, done } = world()
    await clock.advance(2_000)
    expect(state).toEqual({ asked: 1, given: 0 })
    supervisor.hurry()
    await clock.advance(0)
    expect(state).toEqual({ asked: 2, given: 1 })
    stop()
    await done
  })

  it('leaves one alone that has only begun', async () => {
    const { clock, state, supervisor, stop, done } = world()
    for (let changes = 0; changes < 5; changes += 1) {
      await clock.advance(100)
      supervisor.hurry()
    }
    expect(state).toEqual({ asked: 1, given: 0 })
    stop()
    await done
  })

  it('waits at random, longer after each failure and never longer than a bound', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempts, chance) => {
        const most = Math.min(REJOIN_MOST_MS, REJOIN_FIRST_MS * 2 ** attempts)
        expect(rejoinDelay(attempts, { ...seededRandom(1), uniform: () => chance })).toBeCloseTo(chance * most)
      }),
    )
  })

  it('[PT14] others can be dialled over a relay as soon as it has admitted us, and no longer when it gives no place', async () => {
    const device = '12D3KooWSCoMBZDM1dDE1JZt1rnvTgxbxdw5QCNMjP9NSj1b4sqi' as DeviceId
    const connection = { status: 'open', remoteAddr: multiaddr('/ip4/192.0.2.1/tcp/1'), remotePeer: peerOf(device) }
    const [admitted, place] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()]
    const seen: string[] = []
    const clock = new VirtualClock()
    const supervisor = new RelaySupervisor('http://relay.test', {
      stack: { getConnections: () => [connection], addEventListener: () => undefined, removeEventListener: () => undefined },
      reservations: { isReserved: () => false, reserve: () => place.promise },
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
