/** Two messengers in memory that send each other files. */
import type { FileService, Transfer } from '../files/index.ts'
import { MemoryFiles } from './memory-files.ts'
import { seededRandom } from './seeded-random.ts'
import { settle } from './virtual-clock.ts'
import { World, type WorldNode } from './world.ts'

export interface Side {
  node: WorldNode
  readonly disk: MemoryFiles
}

export interface Pair {
  readonly world: World
  readonly ana: Side
  readonly bo: Side
}

export async function pair(seed = 1): Promise<Pair> {
  const world = new World(seed)
  const [first, second] = [new MemoryFiles(), new MemoryFiles()]
  const ana = { disk: first, node: await world.start('ana', { files: first }) }
  const bo = { disk: second, node: await world.start('bo', { files: second }) }
  await world.befriend(ana.node, bo.node)
  return { world, ana, bo }
}

export interface WithTablet extends Pair {
  /** Another device of bo. */
  readonly tablet: Side
}

export async function withTablet(seed: number): Promise<WithTablet> {
  const world = new World(seed)
  const start = async (name: string): Promise<Side> => {
    const disk = new MemoryFiles()
    return { disk, node: await world.start(name, { files: disk }) }
  }
  const [ana, bo, tablet] = [await start('ana'), await start('bo'), await start('tablet')]
  tablet.node = await world.link(bo.node, tablet.node, () => ({ store: tablet.node.store.reopened(), files: tablet.disk }))
  await world.befriend(ana.node, bo.node)
  await world.run(5_000)
  return { world, ana, bo, tablet }
}

export function filesOf({ node }: Side): FileService {
  if (node.messenger.files === undefined) throw new Error('it has files')
  return node.messenger.files
}

export const content = (seed: number, length: number): Uint8Array => seededRandom(seed).bytes(length)

/** Offers files of ana to bo; the transfer. */
export async function offer({ world, ana, bo }: Pair, paths: readonly string[] = ['a.bin']): Promise<Transfer> {
  const sending = filesOf(ana).send([world.contactOf(ana.node, bo.node)], paths)
  await world.run(1_000)
  const [transfer] = await sending
  if (transfer === undefined) throw new Error('nothing was offered')
  return transfer
}

/** A pair of which bo has accepted `a.bin`, 1.2 MB that `content(1)` makes. */
export async function accepted(): Promise<Pair & { readonly transfer: Transfer }> {
  const both = await pair()
  both.ana.disk.files.set('a.bin', content(1, 1_200_000))
  const transfer = await offer(both)
  await filesOf(both.bo).accept(transfer.id, 'in')
  return { ...both, transfer }
}

/** As `accepted`, and 300 kB of it have come. */
export async function underWay(): Promise<Pair & { readonly transfer: Transfer }> {
  const all = await accepted()
  await until(all.world, () => filesOf(all.bo).get(all.transfer.id).bytes > 300_000)
  return all
}

/** Moves frames one by one until something holds. @throws Error when it does not come about */
export async function until(world: World, condition: () => boolean, most = 4_000): Promise<void> {
  for (let step = 0; step < most && !condition(); step += 1) {
    await settle()
    if (!world.network.pump()) await world.clock.advance(100)
  }
  if (!condition()) throw new Error('it did not come about')
}

export const stateOf = (side: Side, { id }: Pick<Transfer, 'id'>): string => filesOf(side).get(id).state
