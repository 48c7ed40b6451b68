/** What is carried, on its way by hand. */
import { isSkeinError } from '../../errors/index.ts'
import { decodeTransfer, encodeTransfer } from '../../wire/mesh-bundle.ts'
import type { BundleKey, HeldBundle } from '../bundle.ts'
import type { ArchivedStore } from './archived-store.ts'
import type { BundleArchive } from './bundle-archive.ts'
import type { Taking, Transfers } from './transfers.ts'

/** Bundles packed at once. */
const PAGE = 32

export interface PackingDeps {
  readonly store: ArchivedStore
  readonly archive: BundleArchive
  readonly transfers: Transfers
  /** Brings in what waits outside. */
  prepare(): Promise<void>
}

export interface PackedPage {
  /** Encoded transfers. */
  readonly transfers: readonly Uint8Array[]
  /** What to ask for next; `undefined` after the last page. */
  readonly next: string | undefined
}

/** In the order in which they came. */
function placeOf({ receivedAt, key }: HeldBundle): string {
  return `${String(receivedAt).padStart(16, '0')} ${key}`
}

export class Packing {
  private readonly deps: PackingDeps

  constructor(deps: PackingDeps) {
    this.deps = deps
  }

  /** What is carried here, a page of it behind `after`, as transfers to another node. @param after `next` of the page before */
  async pack(after = ''): Promise<PackedPage> {
    if (after === '') await this.deps.prepare()
    // Bundles come and go between two pages: what a page ends with tells the place, also when it is gone.
    const rest = Array.from(this.deps.store.all(), (held) => ({ place: placeOf(held), key: held.key })).filter(({ place }) => place > after)
    const page = rest.sort((a, b) => (a.place < b.place ? -1 : 1)).slice(0, PAGE)
    const transfers = await Promise.all(page.map(({ key }) => this.packOne(key)))
    return { transfers: transfers.filter((each) => each !== undefined), next: page.length < PAGE ? undefined : page.at(-1)?.place }
  }

  /** Takes in what another node has packed; counts what became of it: `busy` is on its way in already. @throws SkeinError DISK_FULL */
  async unpack(transfers: readonly Uint8Array[]): Promise<Readonly<Record<Taking | 'refused', number>>> {
    const counts = { taken: 0, known: 0, cured: 0, late: 0, 'no-room': 0, busy: 0, unopened: 0, refused: 0 }
    for (const bytes of transfers) counts[await this.unpackOne(bytes)] += 1
    return counts
  }

  private async packOne(key: BundleKey): Promise<Uint8Array | undefined> {
    const held = this.deps.store.get(key)
    const bundle = await this.deps.archive.bytes(key)
    if (held === undefined || bundle === null) return undefined
    return encodeTransfer({ bundle, hops: held.hops + 1, hopLimit: Math.max(0, held.hopLimit - 1), copies: 1 })
  }

  private async unpackOne(bytes: Uint8Array): Promise<Taking | 'refused'> {
    try {
      return await this.deps.transfers.takeFile(decodeTransfer(bytes))
    } catch (error) {
      if (isSkeinError(error, 'BAD_FRAME') || isSkeinError(error, 'FRAME_TOO_LARGE')) return 'refused'
      throw error
    }
  }
}
