/** Ana, and Bo with two devices. */
import { World, type WorldNode } from './world.ts'

/** What a node shows of a conversation. */
export const texts = async (world: World, node: WorldNode, other: WorldNode): Promise<readonly string[]> =>
  (await world.history(node, other)).map(({ text }) => text)

/** Two texts have gone to and fro before Bo links the second device. */
export async function household(seed: number) {
  const world = new World(seed)
  const [ana, bo] = [await world.start('ana'), await world.start('bo')]
  await world.befriend(ana, bo)
  await world.send(ana, bo, 'before 1')
  await world.run(1_000)
  await world.send(bo, ana, 'before 2')
  await world.run(2_000)
  const phone = await world.link(bo, await world.start('bo phone'))
  await world.run(60_000)
  return { world, ana, bo, phone }
}
