import { describe, expect, it } from 'vitest'
import { addressOf, MeshWorld } from '../../testing/mesh-world.ts'
import { AdaptivePolicy } from './adaptive.ts'
import { Claims } from './claims.ts'

describe('claims of neighbours', () => {
  it('[ME35] one that claims far more addresses than is usual boasts, whoever else does, as long as most do not', () => {
    const claims = new Claims(8)
    expect([60, 1, 1, 2, 60, 3, 60, 8].map((count, from) => claims.isBoast(`${from}`, count))).toEqual([
      ...Array(4).fill(false),
      true,
      false,
      true,
      false,
    ])
  })

  it('[ME35] what is usual changes with those who are met; where all have many nobody boasts', () => {
    const claims = new Claims(8)
    for (let met = 0; met < 10; met += 1) claims.isBoast(`${met}`, 1)
    expect(claims.isBoast('10', 100)).toBe(true)
    for (let met = 0; met < 80; met += 1) claims.isBoast(`${11 + met}`, 100)
    expect(claims.isBoast('100', 100)).toBe(false)
  })

  it('[ME35] somebody who is met again and again counts once, and nobody boasts with what a person may have', () => {
    const claims = new Claims()
    for (let met = 0; met < 60; met += 1) claims.isBoast('0', 1)
    expect(claims.isBoast('1', 1_000)).toBe(false)
    for (let met = 2; met < 8; met += 1) claims.isBoast(`${met}`, 6)
    expect([claims.isBoast('8', 256), claims.isBoast('9', 257)]).toEqual([false, true])
  })

  it('[ME35] [ME11] a boast is no news: nobody learns from a thief of tags that the recipient is near', () => {
    const world = new MeshWorld({ nodes: 1, policy: 'adaptive' })
    const policy = new AdaptivePolicy({ leastClaims: 8 })
    const context = { now: world.now, store: world.stores[0] ?? never(), random: { uniform: () => 0.5, bytes: never } }
    const meet = (count: number, from: number): void => {
      const addresses = Array.from({ length: count }, (_, at) => addressOf(from + at))
      policy.met(neighbourWith(addresses, `${from}`), context)
    }
    for (let node = 0; node < 5; node += 1) meet(1, node)
    meet(40, 100)
    expect([...policy.prospects(context).keys()]).toEqual([0, 1, 2, 3, 4].map(addressOf))
  })
})

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
