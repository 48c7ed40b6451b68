import type { BundleKey } from '../bundle.ts'
import { PieceCollector } from '../pieces/index.ts'
import type { PieceParts } from './spreader.ts'

/** Pieces that have come for this node, until they are whole (ME23). */
export class PieceInbox {
  /** Contents that have become whole here since the start. */
  joined = 0
  private readonly parts: PieceParts
  private readonly dropped: (key: BundleKey) => void
  private collector: PieceCollector | undefined

  /** @param dropped is told which pieces had to go before they were whole */
  constructor(parts: PieceParts, dropped: (key: BundleKey) => void) {
    this.parts = parts
    this.dropped = dropped
  }

  /** @param source neighbour that has brought it @returns the content, once it is whole @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
  async add(piece: Uint8Array, { source, key }: { readonly source: string; readonly key: BundleKey }): Promise<Uint8Array | undefined> {
    const { primitives } = this.parts
    const code = await this.parts.code()
    this.collector ??= new PieceCollector({
      ...{ primitives, code },
      dropped: (keys) => {
        for (const each of keys) this.dropped(each as BundleKey)
      },
    })
    const whole = this.collector.add(piece, { source, key })
    if (whole !== undefined) this.joined += 1
    return whole
  }
}
