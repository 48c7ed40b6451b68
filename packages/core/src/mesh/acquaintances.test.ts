import { expect, it } from 'vitest'
import { MeshWorld } from '../testing/mesh-world.ts'
import { REMEMBERED_MS } from './acquaintances.ts'

/** Two that both hold a bundle for a third, one of whom has no room to keep it. */
function scene(): MeshWorld {
  const world = new MeshWorld({ nodes: 3, policy: 'adaptive', storeBytes: 1_500 })
  world.send('m', 0, { to: 2 })
  world.meet(0, 1)
  expect(world.holders('m')).toEqual([0, 1])
  world.send('own', 1, { to: 2 })
  expect(world.holders('m')).toEqual([0])
  world.stores[1]?.remove(world.header('own', { to: 2 }).key)
  return world
}

it('[ME46] who comes again is not brought what it had to drop', () => {
  const world = scene()
  world.meet(0, 1)
  expect(world.holders('m')).toEqual([0])
})

it('[ME46] after ten minutes it is', () => {
  const world = scene()
  world.now += REMEMBERED_MS
  world.meet(0, 1)
  expect(world.holders('m')).toEqual([0, 1])
})
