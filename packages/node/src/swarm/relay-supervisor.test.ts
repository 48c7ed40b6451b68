import { seededRandom, VirtualClock } from '@skein/core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
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
})
