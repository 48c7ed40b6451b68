/** Two contacts whose mail lies at relays: for tests of mailboxes. */
import type { MemoryStore } from './memory-store.ts'
import { World, type WorldNode, type WorldRelay } from './world.ts'

export const [A, B] = ['http://a.test', 'http://b.test'] as const

export interface MailScene {
  readonly world: World
  readonly relays: readonly WorldRelay[]
  readonly ana: WorldNode
  readonly bo: WorldNode
}

/** Both have the same mailboxes, and tokens for them. */
export async function scene(seed: number, mailboxes: readonly string[] = [A]): Promise<MailScene> {
  const world = new World(seed)
  const relays = mailboxes.map((url) => world.relay(url))
  const [ana, bo] = [await world.start('ana', { mailboxes }), await world.start('bo', { mailboxes })]
  await world.befriend(ana, bo)
  await world.run(5_000)
  return { world, relays, ana, bo }
}

export const again = (
  world: World,
  node: WorldNode,
  mailboxes: readonly string[] = [A],
  store: MemoryStore = node.store.reopened(),
): Promise<WorldNode> => world.start(node.name, { store, mailboxes })

export const texts = async (world: World, at: WorldNode, of: WorldNode): Promise<readonly string[]> =>
  (await world.history(at, of)).map(({ text }) => text)

export const states = async (world: World, at: WorldNode, of: WorldNode): Promise<readonly string[]> =>
  (await world.history(at, of)).map(({ state }) => state)
