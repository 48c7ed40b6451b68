import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type NatSide, planPunch } from './udp-plan.ts'

const same: NatSide = { mapping: 'same', port: 4_000, step: 0 }
const sequential: NatSide = { mapping: 'sequential', port: 30_000, step: 1 }
const random: NatSide = { mapping: 'random', port: 50_000, step: 0 }

describe('plan of a UDP punch', () => {
  it('[PT8] a foreseeable side sends from one socket, an unforeseeable one from 256 to the port that is known', () => {
    expect(planPunch(same, same, 1)).toMatchObject({ sockets: 1, kind: 'known' })
    expect(planPunch(same, random, 1)).toMatchObject({ sockets: 1, kind: 'search' })
    expect(planPunch(random, same, 1)).toMatchObject({ sockets: 256, kind: 'known' })
    expect([...(planPunch(random, same, 1)?.ports() ?? [])]).toEqual([4_000])
  })

  it('[PT8] ports that follow each other are looked for after the last one, in their direction', () => {
    expect([...(planPunch(same, sequential, 1)?.ports() ?? [])].slice(0, 3)).toEqual([30_001, 30_002, 30_003])
    expect([...(planPunch(same, { ...sequential, step: -2 }, 1)?.ports() ?? [])].slice(0, 2)).toEqual([29_998, 29_996])
    expect([...(planPunch(same, { ...sequential, port: 65_534 }, 1)?.ports() ?? [])]).toEqual([65_535])
    expect(planPunch(sequential, sequential, 1)).toMatchObject({ sockets: 16, kind: 'lockstep' })
  })

  it('[PT8] where ports follow each other on a side, both sides know that there is more than one round', () => {
    const isRepeated = (mine: NatSide, theirs: NatSide): boolean[] =>
      [planPunch(mine, theirs, 1), planPunch(theirs, mine, 1)].map((plan) => plan?.isRepeated ?? false)
    expect(isRepeated(same, sequential)).toEqual([true, true])
    expect(isRepeated(sequential, sequential)).toEqual([true, true])
    expect(isRepeated(same, random)).toEqual([false, false])
    expect(isRepeated(same, same)).toEqual([false, false])
  })

  it('[PT8] two sides that would both have to guess are not tried', () => {
    for (const [mine, theirs] of [
      [random, random],
      [random, sequential],
      [sequential, random],
    ] as const)
      expect(planPunch(mine, theirs, 1)).toBeUndefined()
  })

  it('[PT8] where no port follows there is nothing to try, and no endless try of nothing', () => {
    for (const [port, step] of [
      [65_535, 1],
      [1, -1],
      [65_530, 16],
    ] as const)
      for (const mine of [same, sequential]) expect(planPunch(mine, { mapping: 'sequential', port, step }, 1)).toBeUndefined()
  })

  it('[PT8] every unforeseeable port comes once, whatever the seed', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const ports = [...(planPunch(same, random, seed)?.ports() ?? [])]
        expect(new Set(ports).size).toBe(64_512)
        expect([Math.min(...ports.slice(0, 1_000)) >= 1_024, ports.length]).toEqual([true, 64_512])
      }),
      { numRuns: 20 },
    )
  })
})
