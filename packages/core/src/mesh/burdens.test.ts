import { describe, expect, it } from 'vitest'
import { MeshWorld } from '../testing/mesh-world.ts'
import { BURDEN } from './burdens.ts'
import type { LinkId } from './neighbour.ts'

/** A node with a neighbour that brings much, one that brings little, and a third one. */
function crossing(storeBytes = 1_000_000) {
  const world = new MeshWorld({ nodes: 5, policy: 'adaptive', storeBytes })
  const [much, little] = [world.up(0, 1), world.up(0, 2)]
  const header = (name: string) => world.header(name, { to: 4, bytes: name.startsWith('junk') ? 500 : 1_000 })
  const bring = (name: string, link: LinkId): string => {
    const { kind } = world.at(0).admit(header(name), world.now, link)
    if (kind === 'welcome') world.at(0).received({ header: header(name), hops: 1, hopLimit: 63, copies: 32 }, link, world.now)
    return kind
  }
  const flood = (count: number, from = 0): readonly string[] => Array.from({ length: count }, (_, at) => bring(`junk ${from + at}`, much))
  const held = (name: string) => world.stores[0]?.get(header(name).key)
  return { world, much, little, header, bring, flood, held }
}

describe('who brings much', () => {
  it('[ME47] goes after who brings little, though it is smaller', () => {
    const { world, little, header, bring, flood } = crossing()
    flood(9)
    bring('word', little)
    const link = world.up(0, 3)
    const order: string[] = []
    for (let next = world.at(0).carriable([link], world.now); next !== undefined; next = world.at(0).carriable([link], world.now)) {
      order.push(next.bundle.key)
      world.at(0).finished(next)
    }
    expect(order.indexOf(header('word').key)).toBe(4)
    expect(order).toHaveLength(10)
  })

  it('[ME47] makes room for who brings little, and pushes out nothing of it', () => {
    const { world, little, bring, flood, held } = crossing(10_000)
    expect(flood(20)).not.toContain('no-room')
    for (let at = 0; at < 3; at += 1) bring(`word ${at}`, little)
    world.send('own', 0, { to: 4, bytes: 3_900 })
    expect(Array.from({ length: 4 }, (_, at) => held(`junk ${at}`)?.rank)).toEqual([0, 0, 0, 0])
    expect(new Set(flood(20, 20))).toEqual(new Set(['no-room']))
    expect(Array.from({ length: 3 }, (_, at) => held(`word ${at}`)?.rank)).toEqual([0, 0, 0])
  })

  it('[ME47] is as good as any half an hour later, and before that it gets better', () => {
    const { world, bring, much, flood, held } = crossing()
    flood(40)
    world.now += 900_000
    bring('late', much)
    world.now += 1_800_000
    bring('later', much)
    expect([held('late')?.rank, held('later')?.rank]).toEqual([1, 0])
    flood(10 * BURDEN.burst, 40)
    expect(held(`junk ${10 * BURDEN.burst}`)?.rank).toBe(4)
  })
})
