/**
 * Memory for chunks, used again and again: a megabyte that the system has to hand out anew for each chunk costs more than
 * sealing it does. One for all transfers of a thread.
 */
import { MAX_KEPT_BYTES } from './constants.ts'

export class ChunkBuffers {
  private readonly free = new Map<number, Buffer[]>()
  private kept = 0

  /** @returns bytes with memory of their own, whatever is in it */
  take(length: number): Buffer {
    const known = this.free.get(length)?.pop()
    if (known === undefined) return Buffer.allocUnsafeSlow(length)
    this.kept -= length
    return known
  }

  /** Nobody looks at these bytes any more, which had memory of their own. */
  give(bytes: Uint8Array): void {
    const { buffer, length } = bytes
    // Of another size, or moved to another thread: not one of these.
    if (length === 0 || length !== buffer.byteLength) return
    if (this.kept + length > MAX_KEPT_BYTES) return void (buffer as ArrayBuffer).transfer(0)
    this.kept += length
    const same = this.free.get(length) ?? []
    same.push(Buffer.from(buffer))
    this.free.set(length, same)
  }
}
