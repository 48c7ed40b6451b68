import { describe, expect, it } from 'vitest'
import { addressOf, MeshWorld } from '../../testing/mesh-world.ts'
import { AdaptivePolicy } from './adaptive.ts'
import { Claims } from './claims.ts'

describe('claims of neighbours', () => {
  it('[ME35] one that claims far more addresses than is usual boasts, whoever else does, as long as most do not', () => {
    const claims = new Claims(8)
    expect([60, 1, 1, 2, 60, 3, 60, 8].map((count, from) => claims.met(`${from}`, count))).toEqual([
      ...Array(4).fill(false),
      true,
      false,
      true,
      false,
    ])
  })

  it('[ME35] what is usual changes with those who are met; where all have many nobody boasts', () => {
    const claims = new Claims(8)
    for (let met = 0; met < 10; met += 1) claims.met(`${met}`, 1)
    expect(claims.met('10', 100)).toBe(true)
    for (let met = 0; met < 80; met += 1) claims.met(`${11 + met}`, 60)
    expect(claims.met('100', 60)).toBe(false)
  })

  it('[ME35] a crowd of boasters makes nothing usual beyond what nobody boasts with', () => {
    const claims = new Claims()
    for (let met = 0; met < 30; met += 1) claims.met(`${met}`, 6)
    for (let made = 0; made < 64; made += 1) expect(claims.met(`made up ${made}`, 5_000)).toBe(true)
    expect([claims.usual, claims.met('thief', 2_049)]).toEqual([256, true])
  })

  it('[ME35] somebody who is met again and again counts once, and nobody boasts with what a person may have', () => {
    const claims = new Claims()
    for (let met = 0; met < 60; met += 1) claims.met('0', 1)
    expect(claims.met('1', 1_000)).toBe(false)
    for (let met = 2; met < 8; met += 1) claims.met(`${met}`, 6)
    expect([claims.met('8', 256), claims.met('9', 257)]).toEqual([false, true])
  })

  it('[ME35] [ME11] a boast is no news: nobody learns from a thief of tags that the recipient is near', () => {
    const { policy, context, meet } = meetings()
    for (let node = 0; node < 5; node += 1) meet(1, node)
    meet(40, 100)
    expect([...policy.prospects(context).keys()]).toEqual([0, 1, 2, 3, 4].map(addressOf))
  })

  it('[ME35] a boast in several words is one', () => {
    const { policy, context, meet } = meetings()
    for (let node = 0; node < 5; node += 1) meet(1, node)
    const [honest, thief] = [meet(2, 50), meet(2, 100)]
    honest.addresses.add(addressOf(52))
    for (let at = 102; at < 5_000; at += 1) thief.addresses.add(addressOf(at))
    const later = { ...context, now: context.now + 600_000 }
    policy.stayed([honest, thief], later)
    const near = [...policy.prospects(later)].flatMap(([address, age]) => (age === 0 ? [address] : []))
    expect(near).toEqual([50, 51, 52].map(addressOf))
  })
})

/** One node that meets others, and has met them all when they came. */
function meetings() {
  const world = new MeshWorld({ nodes: 1, policy: 'adaptive' })
  const policy = new AdaptivePolicy({ leastClaims: 8 })
  const context = { now: world.now, store: world.stores[0] ?? never(), random: { uniform: () => 0.5, bytes: never } }
  const meet = (count: number, from: number) => {
    const neighbour = neighbourWith(
      Array.from({ length: count }, (_, at) => addressOf(from + at)),
      `${from}`,
    )
    policy.met(neighbour, context)
    return neighbour
  }
  return { policy, context, meet }
}

function neighbourWith(addresses: ReturnType<typeof addressOf>[], peer: string) {
  return {
    ...{
      link: 'l',
      peer,
      order: 0,
      bandwidth: 1,
      since: 0,
      comparedAt: 0,
      reconciliation: undefined,
      ownAlias: addressOf(998),
      alias: addressOf(999),
      experience: [],
    },
    ...{
      addresses: new Set(addresses),
      has: new Set<never>(),
      asked: new Set<never>(),
      refused: new Set<never>(),
      pieces: new Set<never>(),
    },
    ...{ partials: new Map<never, never>(), prospects: new Map<never, never>() },
  }
}

function never(): never {
  throw new Error('not used here')
}
