/** Puts what is whole under its name. */
import { SkeinError } from '../errors/index.ts'
import { sameBytes } from '../wire/codec.ts'
import type { ContentSink } from './file-ports.ts'
import { hexOf } from './hex.ts'
import type { Live, TransferBook } from './transfer-book.ts'

export interface PlacingDeps {
  readonly transfers: TransferBook
  isWanted(live: Live): boolean
}

export class Placing {
  private readonly deps: PlacingDeps
  private readonly underWay = new Map<Live, Promise<void>>()

  constructor(deps: PlacingDeps) {
    this.deps = deps
  }

  /**
   * Nothing stands under the final name before it is whole and what the sender has (FI19).
   * @param root as the sender says @returns whether it is there, and not ended by somebody before @throws SkeinError FILE_CHANGED; what the sink throws
   */
  async complete(live: Live, { sink, root }: { readonly sink: ContentSink; readonly root: Uint8Array }): Promise<boolean> {
    const digests = await sink.finish()
    const wanted = live.manifest.root ?? root
    if (!sameBytes(digests.root, wanted) || !sameBytes(root, wanted))
      throw new SkeinError('FILE_CHANGED', 'The file is not the same any more as when the transfer began.')
    if (!this.deps.isWanted(live)) return false
    const placing = this.place(live, sink, hexOf(digests.sha256))
    this.underWay.set(live, placing)
    try {
      await placing
    } finally {
      this.underWay.delete(live)
    }
    return true
  }

  /** Until it has its name, if it is being moved there: what ends a transfer then comes too late. */
  async settled(live: Live): Promise<void> {
    await this.underWay.get(live)?.catch(() => undefined)
  }

  private async place(live: Live, sink: ContentSink, sha256: string): Promise<void> {
    const path = await sink.commit()
    const { size } = live.manifest
    await this.deps.transfers.change(live, { state: 'done', reason: null, bytes: size, sha256, path, told: false })
  }
}
