import { describe, expect, it } from 'vitest'
import { clockCheck } from '../client/api/doctor.ts'
import { fetchDescription } from './relay-description.ts'
import { RelayClock } from './relay-clock.ts'

const HOUR = 3_600_000
const DEVICE = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'
const ADDRESS = `/ip4/127.0.0.1/tcp/4001/p2p/${DEVICE}`

/** A device whose clock stands at `wall` and can be set. */
function device(wall: number) {
  const at = { wall, monotonic: 0 }
  const clock = new RelayClock({ now: () => at.wall, monotonic: () => at.monotonic })
  const passes = (ms: number, { asleep = false } = {}): void => {
    at.wall += ms
    if (!asleep) at.monotonic += ms
  }
  return { at, clock, passes }
}

const ask = (clock: RelayClock, body: unknown, date: string | null): Promise<unknown> =>
  fetchDescription('https://relay.example', {
    signal: AbortSignal.timeout(10_000),
    getText: async (_url, { onDate }) => (onDate?.(date), JSON.stringify(body)),
    onDate: (said) => clock.note(said),
  })

describe('the clock of a relay', () => {
  it('[UI13] is heard with its description, and counts until this one is set or the device sleeps', async () => {
    const sent = Date.parse('2026-01-01T00:00:00Z')
    const { at, clock, passes } = device(sent + HOUR)
    expect(clock.aheadMs()).toBeNull()
    const described = { version: 1, peer_id: DEVICE, addresses: [ADDRESS] }
    await ask(clock, described, new Date(sent).toUTCString())
    passes(10 * HOUR)
    expect(clock.aheadMs()).toBe(HOUR)
    at.wall -= HOUR
    expect(clock.aheadMs()).toBeNull()
    await ask(clock, described, new Date(at.wall).toUTCString())
    expect(clock.aheadMs()).toBe(0)
    passes(HOUR, { asleep: true })
    expect(clock.aheadMs()).toBeNull()
  })

  it('[UI13] is not that of somebody who is no relay, or does not say it', async () => {
    const { clock } = device(HOUR)
    await expect(ask(clock, 'a captive portal', new Date(0).toUTCString())).rejects.toThrow('relay')
    clock.note(null)
    clock.note('noon')
    expect(clock.aheadMs()).toBeNull()
  })

  it('[UI13] is part of a diagnosis where this one is more than five minutes off', () => {
    expect([null, 0, 300_000, -300_000].flatMap(clockCheck)).toEqual([])
    expect([HOUR, -HOUR].flatMap(clockCheck).map(({ code, ok, about }) => [code, ok, about])).toEqual([
      ['clock-ahead', false, '60'],
      ['clock-behind', false, '60'],
    ])
  })
})
