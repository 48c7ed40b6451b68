import { expect, it } from 'vitest'
import { MeshWorld } from '../testing/mesh-world.ts'
import { REMEMBERED_MS } from './acquaintances.ts'

/** Two nodes, and bundles for a third that both or only one of them hold. */
function pair(both: number): { world: MeshWorld; give: (node: number, names: readonly string[]) => void; meet: () => number } {
  const world = new MeshWorld({ nodes: 3, policy: 'adaptive', storeBytes: 100_000_000 })
  const give = (node: number, names: readonly string[]): void => {
    for (const name of names)
      world.at(node).received({ header: world.header(name, { to: 2 }), hops: 1, hopLimit: 9, copies: 8 }, 'elsewhere', world.now)
  }
  const meet = (): number => {
    const before = world.controlBytes.reduce((sum, bytes) => sum + bytes)
    world.down(world.up(0, 1))
    return world.controlBytes.reduce((sum, bytes) => sum + bytes) - before
  }
  for (const node of [0, 1])
    give(
      node,
      Array.from({ length: both }, (_, at) => `m${at}`),
    )
  return { world, give, meet }
}

it('[ME40] 10,000 equal bundles cost next to nothing when a link comes again, and what is new about its keys', () => {
  const { give, meet } = pair(10_000)
  const first = meet()
  expect(first).toBeGreaterThan(80_000)
  const again = meet()
  expect(again).toBeLessThan(250)
  give(
    0,
    Array.from({ length: 100 }, (_, at) => `new ${at}`),
  )
  expect(meet() - again).toBeLessThan(100 * 10)
})

it('[ME40] what is remembered is forgotten after ten minutes', () => {
  const { world, meet } = pair(100)
  const first = meet()
  expect(meet()).toBeLessThan(first / 2)
  world.now += REMEMBERED_MS
  expect(meet()).toBeGreaterThan(first / 2)
})
