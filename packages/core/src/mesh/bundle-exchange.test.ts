import { describe, expect, it } from 'vitest'
import { addressOf, MeshWorld } from '../testing/mesh-world.ts'
import { ABOUT_BUNDLES, BUNDLES_LISTED, decodeMeshControl, type MeshControlFields } from '../wire/mesh.ts'
import { controlFrames } from './control.ts'
import { MeshNode } from './mesh-node.ts'
import { AdaptivePolicy } from './policies/index.ts'
import { MemoryBundleStore } from './bundle-store.ts'

const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, at) => `${prefix}${at}`)

interface Pair {
  readonly world: MeshWorld
  /** Brings bundles for a third node. */
  readonly give: (node: number, names: readonly string[]) => void
  /** Lets them meet for the first time; control bytes of it beyond those of two who hold nothing. */
  readonly meet: () => number
}

const newWorld = (): MeshWorld => new MeshWorld({ nodes: 3, policy: 'adaptive', storeBytes: 100_000_000 })

function bytesToMeet(world: MeshWorld): number {
  world.down(world.up(0, 1))
  return world.controlBytes.reduce((sum, bytes) => sum + bytes)
}

function pair(): Pair {
  const world = newWorld()
  const give = (node: number, held: readonly string[]): void => {
    for (const name of held)
      world.at(node).received({ header: world.header(name, { to: 2 }), hops: 1, hopLimit: 9, copies: 8 }, 'elsewhere', world.now)
  }
  return { world, give, meet: () => bytesToMeet(world) - bytesToMeet(newWorld()) }
}

describe('bundles of two that meet', () => {
  it('[ME40] 10,000 equal ones are found out to be equal for next to nothing', () => {
    const { give, meet } = pair()
    for (const node of [0, 1]) give(node, names('m', 10_000))
    // Beside the comparison of proofs, 82 bytes, and the two bytes of whoever holds nothing: 100 in all.
    expect(meet()).toBeLessThanOrEqual(16)
  })

  it('[ME40] of 10,000 of which 100 differ on each side little more is said than the difference', () => {
    const { world, give, meet } = pair()
    for (const node of [0, 1]) give(node, [...names('m', 10_000), ...names(`only ${node} `, 100)])
    expect(meet()).toBeLessThan(200 * 30)
    world.meet(0, 1)
    expect(names('only 0 ', 100).every((name) => world.holders(name).includes(1))).toBe(true)
    expect(names('only 1 ', 100).every((name) => world.holders(name).includes(0))).toBe(true)
  })

  it('[ME40] they are named where nearly all differ, or few would be named', () => {
    const { world, give, meet } = pair()
    for (const node of [0, 1]) give(node, names(`only ${node} `, 500))
    expect(meet()).toBeLessThan(1_000 * 8 + 200)
    world.meet(0, 1)
    expect(world.stores.map(({ size }) => size)).toEqual([1_000, 1_000, 0])
    const few = pair()
    for (const node of [0, 1]) few.give(node, names(`only ${node} `, 10))
    expect(few.meet()).toBeLessThan(20 * 8 + 40)
  })

  it('[ME40] whatever both hold, all that one lacks comes to it', () => {
    for (const [both, first, second] of [
      [0, 0, 1],
      [5, 1, 90],
      [90, 90, 0],
      [300, 7, 30],
      [64, 64, 64],
    ] as const) {
      const { world, give } = pair()
      for (const [node, own] of [first, second].entries()) give(node, [...names('m', both), ...names(`only ${node} `, own)])
      world.meet(0, 1)
      expect(world.stores.slice(0, 2).map(({ size }) => size)).toEqual([both + first + second, both + first + second])
    }
  })
})

describe('a neighbour that compares bundles', () => {
  /** A node that holds something, what it says, and how bad it found what it was told. */
  function victim(): { say: (said: Partial<MeshControlFields>) => void; said: MeshControlFields[]; weight: () => number } {
    const world = new MeshWorld({ nodes: 1, policy: 'adaptive' })
    const said: MeshControlFields[] = []
    let weight = 0
    const node = new MeshNode({
      addresses: new Set([addressOf(0)]),
      alias: () => addressOf(9),
      store: new MemoryBundleStore(10_000_000),
      policy: new AdaptivePolicy(),
      random: { uniform: () => 0.5, bytes: (length) => new Uint8Array(length) },
      primitives: { sha256: () => new Uint8Array(32) },
      useless: (_, by) => (weight += by),
      send: (_, frame) => said.push(decodeMeshControl(frame)),
    })
    for (const name of names('m', 100))
      node.received({ header: world.header(name, { to: 2 }), hops: 1, hopLimit: 9, copies: 8 }, 'elsewhere', world.now)
    node.linkUp({ link: 'l', bandwidth: 1 }, world.now)
    const say = (words: Partial<MeshControlFields>): void => {
      for (const frame of controlFrames(words)) node.control('l', frame, world.now)
    }
    say({ addresses: [0 as never] })
    return { say, said, weight: () => weight }
  }

  it('[ME41] does it once: each costs a look at all that is here', () => {
    const { say, said, weight } = victim()
    say({ sum: 7, listed: 1 })
    expect(said.at(-1)).toMatchObject({ about: ABOUT_BUNDLES, sketch: { from: 0 } })
    const before = said.length
    say({ sum: 7, listed: 1 })
    say({ sum: 8 })
    expect([said.length, weight()]).toEqual([before, 200])
    say({ about: BUNDLES_LISTED })
    say({ about: BUNDLES_LISTED })
    say({ about: ABOUT_BUNDLES, more: 5 })
    expect(weight()).toBe(400)
  })

  it('[ME41] asks for no more than there may be, nor before anything was compared', () => {
    const { say, said, weight } = victim()
    say({ about: ABOUT_BUNDLES, more: 5 })
    expect(weight()).toBe(100)
    say({ sum: 7, listed: 1 })
    for (let at = 0; at < 100; at += 1) say({ about: ABOUT_BUNDLES, more: 1 })
    expect(said.filter(({ about, sketch }) => about === ABOUT_BUNDLES && sketch !== undefined).length).toBeLessThanOrEqual(65)
    expect(said.filter(({ about }) => about === BUNDLES_LISTED)).toHaveLength(1)
    expect(weight()).toBeGreaterThan(1_000)
  })

  it('[ME40] and says nonsense is named what there is', () => {
    const { say, said, weight } = victim()
    say({ sum: 7, listed: 1 })
    const sketch = { salt: 1, from: 3, symbols: new Uint8Array(13), pulls: new Uint8Array(0), depth: 0, share: 0 }
    say({ about: ABOUT_BUNDLES, sketch })
    expect(said.some(({ offered }) => offered.length === 100) && said.some(({ about }) => about === BUNDLES_LISTED)).toBe(true)
    expect(weight()).toBe(100)
  })
})
