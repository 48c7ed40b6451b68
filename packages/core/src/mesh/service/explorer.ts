/** Tells a new neighbour's side of the mesh what is carried here, once, and gives what is asked for: a partition that heals delivers at once. */
import type { Clock } from '../../ports/index.ts'
import { type BundleKey, type HeldBundle, isChunk } from '../bundle.ts'
import type { MeshNode } from '../mesh-node.ts'
import type { RouteNode } from '../routes/index.ts'
import type { ArchivedStore } from './archived-store.ts'
import type { BundleArchive } from './bundle-archive.ts'
import type { NeighbourSession } from './neighbour-session.ts'

/** What carries is given directly first, in milliseconds. */
const AFTER_MS = 300
/** Bundles and bytes that are named over one new link (ME20), the newest first. */
export const MAX_EXPLORED = 256
const MAX_EXPLORED_BYTES = 2 * 1_048_576
/** The same bundle of somebody else to the same neighbour not more often than this, in milliseconds: links flap. */
const AGAIN_AFTER_MS = 120_000
const MAX_REMEMBERED = 16_384

export interface ExplorerDeps {
  readonly clock: Clock
  readonly archive: BundleArchive
  readonly store: ArchivedStore
  readonly node: MeshNode
  readonly routes: RouteNode
  isOpen(session: NeighbourSession): boolean
}

export class Explorer {
  private readonly deps: ExplorerDeps
  private readonly explored = new Map<string, number>()

  constructor(deps: ExplorerDeps) {
    this.deps = deps
  }

  async explore(session: NeighbourSession): Promise<void> {
    const { clock, isOpen } = this.deps
    await clock.sleep(AFTER_MS)
    let bytes = 0
    for (const held of this.unknownTo(session)) {
      bytes += held.bytes
      if (bytes > MAX_EXPLORED_BYTES || !isOpen(session)) return
      if (isOwn(held) || this.isNew(session.peer, held.key)) await this.letLoose(session, held)
    }
  }

  /** What it may lack; what it has brought itself it knows. */
  private unknownTo({ id, peer }: NeighbourSession): readonly HeldBundle[] {
    const { store, node } = this.deps
    const news = [...store.all()].filter((held) => !isChunk(held) && held.isPiece !== true && store.sourceOf(held.key) !== peer)
    const lacked = news.filter(({ key }) => node.mayLack(id, key)).reverse()
    return [...lacked.filter(isOwn), ...lacked.filter((held) => !isOwn(held))].slice(0, MAX_EXPLORED)
  }

  private async letLoose({ id: link }: NeighbourSession, { key, address, lock }: HeldBundle): Promise<void> {
    const payload = await this.deps.archive.bytes(key)
    if (payload !== null) this.deps.routes.explore({ key, address, lock, payload }, { link, now: this.deps.clock.monotonic() })
  }

  private isNew(peer: string, key: BundleKey): boolean {
    const name = `${peer} ${key}`
    const now = this.deps.clock.monotonic()
    const before = this.explored.get(name)
    if (before !== undefined && now - before < AGAIN_AFTER_MS) return false
    this.explored.delete(name)
    this.explored.set(name, now)
    const [first] = this.explored.keys()
    if (this.explored.size > MAX_REMEMBERED && first !== undefined) this.explored.delete(first)
    return true
  }
}

/** Made here: nobody else looks for its way. */
function isOwn({ hops }: HeldBundle): boolean {
  return hops === 0
}
