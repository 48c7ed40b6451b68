import { describe, expect, it } from 'vitest'
import { allPairs, KINDS } from './kinds.mjs'
import { combine, gatewayOf, localAndMobile, localNetwork, place, planPair } from './plan.mjs'

const PLANS = [
  ...allPairs().map(([a, b]) => [`${a}:${b}`, planPair(a, b, { relays: 2 })]),
  ['roam', combine(planPair('cone', 'cone'), place('a2', 'prc'))],
  ['lan', localNetwork()],
  ['two interfaces', localAndMobile()],
]
/** Longest name of an interface, characters (IFNAMSIZ is 16 with the end). */
const LONGEST_NAME = 15
const ends = (plan) => plan.wires.flatMap((wire) => wire.ends)

describe.each(PLANS)('plan of %s', (_, plan) => {
  it('wires and routes boxes that exist, by names that fit and occur once', () => {
    for (const { box } of [...ends(plan), ...plan.routes]) expect(plan.boxes).toHaveProperty(box)
    const names = ends(plan).map(({ box, name }) => `${box} ${name}`)
    expect(new Set(names).size).toBe(names.length)
    for (const { name } of ends(plan)) expect(name.length).toBeLessThanOrEqual(LONGEST_NAME)
  })

  it('gives no address twice on one wire, and ways only to neighbours', () => {
    for (const { ends: pair } of plan.wires) {
      const addresses = pair.flatMap((end) => end.addresses ?? [])
      expect(new Set(addresses).size).toBe(addresses.length)
    }
    const neighbours = new Set(ends(plan).flatMap(({ addresses = [] }) => addresses.map((each) => each.split('/')[0])))
    for (const { via } of plan.routes) if (via !== undefined) expect(neighbours).toContain(via)
  })
})

describe('plans', () => {
  it.each(Object.entries(KINDS))('delay one wire on the way of each host of a pair of %s', (kind, { shares }) => {
    expect(planPair(kind, kind).wires.filter((wire) => wire.slow)).toHaveLength(shares === 'home' ? 1 : 2)
  })

  it('leave a local network without any route', () => {
    expect(localNetwork().routes).toEqual([])
  })

  it('know the gateway of every place', () => {
    for (const kind of Object.keys(KINDS))
      expect(gatewayOf('a', kind)).toBe(planPair(kind, 'pub').routes.find(({ box }) => box === 'a').via)
  })
})
