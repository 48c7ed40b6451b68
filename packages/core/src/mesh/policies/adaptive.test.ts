import { describe, expect, it } from 'vitest'
import { addressOf, MeshWorld } from '../../testing/mesh-world.ts'
import type { BundleHeader, MeshAddress } from '../bundle.ts'
import { MemoryBundleStore } from '../bundle-store.ts'
import type { Neighbour } from '../neighbour.ts'
import { AdaptivePolicy } from './adaptive.ts'
import { MeetingRates } from './meeting-rates.ts'

const MINUTE_MS = 60_000

/** One whose acquaintances meet again soon after they met, and hardly ever later. */
function experienced(): MeetingRates {
  const rates = new MeetingRates()
  const heard = new Map<MeshAddress, number>()
  for (let at = 0; at < 200; at += 1) {
    const now = at * 30 * MINUTE_MS
    rates.wait(heard, now)
    for (const address of [addressOf(at % 10), addressOf(10 + (at % 40))]) heard.set(address, now)
    for (let again = 0; again < 3; again += 1) {
      rates.wait(heard, now + (again + 1) * MINUTE_MS)
      rates.meet(MINUTE_MS / 2)
    }
  }
  return rates
}

describe('meeting rates', () => {
  it('[ME11] fresh news counts for more than old news, before anything was learned and after', () => {
    for (const rates of [new MeetingRates(), experienced()]) {
      expect(rates.factor(10_000)).toBeGreaterThan(rates.factor(10 * MINUTE_MS))
      expect(rates.factor(5 * MINUTE_MS)).toBeGreaterThanOrEqual(rates.factor(600 * MINUTE_MS))
    }
  })

  it('[ME11] what was learned outweighs what was assumed', () => {
    expect(experienced().factor(30_000)).toBeGreaterThan(2 * new MeetingRates().factor(30_000))
    expect(experienced().factor(600 * MINUTE_MS)).toBeLessThan(0.5)
  })

  it('[ME11] neighbours average, so that a newcomer learns and sums are kept', () => {
    const [one, other] = [experienced(), experienced()]
    const before = one.factor(600 * MINUTE_MS)
    one.average(other.told())
    expect(one.factor(600 * MINUTE_MS)).toBeCloseTo(before, 2)
  })

  it('[ME11] one that makes up years of waiting weighs no more than what is known here', () => {
    const [rates, honest] = [experienced(), experienced()]
    const lies = honest.told().map((value, at) => (at < 9 ? value : 2 ** 32 - 1))
    rates.average(lies)
    expect(rates.interval()).toBeLessThanOrEqual(2.1 * (honest.interval() ?? 0))
  })

  it('[ME11] one that makes up meetings without waiting bends nothing, whatever is known here', () => {
    const lies = [...Array(9).fill(2 ** 32 - 1), 1, ...Array(8).fill(0)]
    const rates = experienced()
    const before = rates.told()
    for (let again = 0; again < 10; again += 1) rates.average(lies)
    expect(rates.told()).toEqual(before)
    const newcomer = new MeetingRates()
    newcomer.wait(new Map([[addressOf(1), 0]]), 0)
    newcomer.wait(new Map([[addressOf(1), 0]]), MINUTE_MS)
    newcomer.average(lies)
    expect((newcomer.told()[0] ?? 0) / 256).toBeLessThanOrEqual(64)
  })

  it('[ME11] experience of another shape is ignored', () => {
    const rates = experienced()
    const before = rates.told()
    rates.average([1, 2, 3])
    expect(rates.told()).toEqual(before)
  })
})

describe('adaptive', () => {
  it('[ME11] the budget follows from how often nodes meet and how long the bundle lives', () => {
    const world = new MeshWorld({ nodes: 2, policy: 'adaptive' })
    const policy = new AdaptivePolicy()
    const context = { now: world.now, store: world.stores[0] ?? never(), random: { uniform: () => 0.5, bytes: never } }
    const first = policy.initialCopies(world.header('m', { to: 1 }), context)
    expect(first).toBe(8)
  })

  it('[ME11] the budget is smaller where a copy has room only in the place of another', () => {
    const world = new MeshWorld({ nodes: 2, policy: 'adaptive', storeBytes: 5_000 })
    const policy = new AdaptivePolicy()
    const store = world.stores[0] ?? never()
    const context = (now: number) => ({ now, store, random: { uniform: () => 0.5, bytes: never } })
    const hour = 60 * MINUTE_MS
    // One that is met every five hours, as long as bundles live.
    for (let at = 0; at <= 10; at += 1) policy.met(neighbourWith([addressOf(4)], {}), context(world.now + at * 5 * hour))
    const copies = (bytes: number) => policy.initialCopies(world.header('m', { to: 1, bytes }), context(world.now))
    expect(copies(4_000)).toBe(Math.round(Math.sqrt(180)))
    expect(copies(6_000)).toBe(Math.round(Math.sqrt(180 / 1.5)))
  })

  it('[ME11] halves its budget, and the last copy waits for the recipient', () => {
    const world = new MeshWorld({ nodes: 20, policy: () => new AdaptivePolicy({ copies: 4 }) })
    world.send('m', 0, { to: 19 })
    for (let a = 0; a < 19; a += 1) for (let b = a + 1; b < 19; b += 1) world.meet(a, b)
    expect(world.holders('m')).toHaveLength(4)
  })

  it('[ME11] one that has just met the recipient gets a copy beyond the budget', () => {
    const world = new MeshWorld({ nodes: 4, policy: () => new AdaptivePolicy({ copies: 1 }) })
    world.send('m', 0, { to: 3 })
    world.meet(0, 1)
    expect(world.holders('m')).toEqual([0])
    world.meet(2, 3)
    world.meet(0, 2)
    expect(world.holders('m')).toEqual([0, 2])
  })

  it('[ME9] what is said of meetings has steps of ten seconds', () => {
    const world = new MeshWorld({ nodes: 2, policy: 'adaptive' })
    const policy = new AdaptivePolicy()
    const store = world.stores[0] ?? never()
    const context = (now: number) => ({ now, store, random: { uniform: () => 0.5, bytes: never } })
    const told = new Map([[addressOf(5), 7]])
    const neighbour = neighbourWith([addressOf(4)], { prospects: told })
    policy.met(neighbour, context(1_000_000))
    expect([...policy.prospects(context(1_004_000))]).toEqual([
      [addressOf(4), 0],
      [addressOf(5), 7],
    ])
  })
})

describe('devices with many addresses', () => {
  const contextAt = (now: number) => ({ now, store: new MemoryBundleStore(1_000), random: { uniform: () => 0.5, bytes: never } })

  it('[ME11] one that comes again is one meeting, not as many as it has addresses', () => {
    const policy = new AdaptivePolicy()
    const header = { expiresAt: 72 * 60 * MINUTE_MS } as BundleHeader
    const before = policy.initialCopies(header, contextAt(0))
    const all = Array.from({ length: 120 }, (_, at) => addressOf(at))
    for (const now of [0, MINUTE_MS]) policy.met(neighbourWith(all, {}), contextAt(now))
    expect(policy.initialCopies(header, contextAt(2 * MINUTE_MS))).toBe(before)
  })

  it('[ME9] one that has been here for an hour, and has other addresses since midnight, is told of as near', () => {
    const policy = new AdaptivePolicy()
    const [passing, standing] = [neighbourWith([addressOf(1)], { peer: 'passing' }), neighbourWith([addressOf(2)], { peer: 'standing' })]
    for (const each of [passing, standing]) policy.met(each, contextAt(0))
    standing.addresses.clear()
    standing.addresses.add(addressOf(3))
    policy.stayed([{ ...passing, since: 59 * MINUTE_MS }, standing], contextAt(60 * MINUTE_MS))
    expect([...policy.prospects(contextAt(60 * MINUTE_MS))].toSorted(([, one], [, other]) => one - other)).toEqual([
      [addressOf(3), 0],
      [addressOf(1), 360],
      [addressOf(2), 360],
    ])
  })
})

function neighbourWith(addresses: MeshAddress[], more: Partial<Pick<Neighbour, 'peer' | 'prospects'>>): Neighbour {
  return {
    ...{ link: 'l', peer: '', order: 0, bandwidth: 1, since: 0, comparedAt: 0, reconciliation: undefined, experience: [] },
    ...{ ownAlias: addressOf(998), alias: addressOf(999), addresses: new Set(addresses), prospects: new Map(), partials: new Map() },
    ...{ has: new Set(), asked: new Set(), refused: new Set(), pieces: new Set() },
    ...more,
  }
}

function never(): never {
  throw new Error('not used here')
}
