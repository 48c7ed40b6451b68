/** What is carried, on its way by hand. */
import { isSkeinError } from '../../errors/index.ts'
import { decodeTransfer, encodeTransfer, type TransferOutcome } from '../../wire/mesh-bundle.ts'
import type { BundleKey } from '../bundle.ts'
import type { ArchivedStore } from './archived-store.ts'
import type { BundleArchive } from './bundle-archive.ts'
import type { Transfers } from './transfers.ts'

/** Bundles packed at once. */
const PAGE = 32

export interface PackingDeps {
  readonly store: ArchivedStore
  readonly archive: BundleArchive
  readonly transfers: Transfers
}

export interface PackedPage {
  /** Encoded transfers. */
  readonly transfers: readonly Uint8Array[]
  /** What to ask for next; `undefined` after the last page. */
  readonly next: BundleKey | undefined
}

export class Packing {
  private readonly deps: PackingDeps

  constructor(deps: PackingDeps) {
    this.deps = deps
  }

  /** What is carried here, a page of it behind `after`, as transfers to another node. */
  async pack(after?: BundleKey): Promise<PackedPage> {
    const keys = Array.from(this.deps.store.all(), ({ key }) => key)
    const page = keys.slice(after === undefined ? 0 : keys.indexOf(after) + 1).slice(0, PAGE)
    const transfers = await Promise.all(page.map((key) => this.packOne(key)))
    return { transfers: transfers.filter((each) => each !== undefined), next: page.length < PAGE ? undefined : page.at(-1) }
  }

  /** Takes in what another node has packed; counts what became of it. @throws SkeinError DISK_FULL */
  async unpack(transfers: readonly Uint8Array[]): Promise<Readonly<Record<TransferOutcome | 'refused', number>>> {
    const counts = { taken: 0, known: 0, cured: 0, late: 0, 'no-room': 0, refused: 0 }
    for (const bytes of transfers) counts[await this.unpackOne(bytes)] += 1
    return counts
  }

  private async packOne(key: BundleKey): Promise<Uint8Array | undefined> {
    const held = this.deps.store.get(key)
    const bundle = await this.deps.archive.bytes(key)
    if (held === undefined || bundle === null) return undefined
    return encodeTransfer({ bundle, hops: held.hops + 1, hopLimit: Math.max(0, held.hopLimit - 1), copies: 1 })
  }

  private async unpackOne(bytes: Uint8Array): Promise<TransferOutcome | 'refused'> {
    try {
      return await this.deps.transfers.takeFile(decodeTransfer(bytes))
    } catch (error) {
      if (isSkeinError(error, 'BAD_FRAME') || isSkeinError(error, 'FRAME_TOO_LARGE')) return 'refused'
      throw error
    }
  }
}
