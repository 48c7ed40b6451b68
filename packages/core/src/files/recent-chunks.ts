/** The last sealed chunks of a source, for other recipients who are at the same place (FI25). */
import type { FilePart } from '../wire/files.ts'
import { SHARED_BYTES } from './limits.ts'

export interface WantedChunk {
  readonly part: FilePart
  readonly index: number
  /** Others may want it too. */
  readonly isShared: boolean
}

export class RecentChunks {
  private readonly chunks = new Map<string, Promise<Uint8Array>>()
  private readonly most: number

  /** @param chunkSize of the content, bytes */
  constructor(chunkSize: number) {
    this.most = Math.floor(SHARED_BYTES / chunkSize)
  }

  /** @returns the chunk, and whether it is kept here: then its bytes must stay as they are */
  get(
    { part, index, isShared }: WantedChunk,
    make: () => Promise<Uint8Array>,
  ): { readonly sealed: Promise<Uint8Array>; readonly kept: boolean } {
    const name = `${part} ${index}`
    const known = this.chunks.get(name)
    if (known !== undefined) return { sealed: known, kept: true }
    const sealed = make()
    if (isShared) this.keep(name, sealed)
    return { sealed, kept: isShared }
  }

  private keep(name: string, sealed: Promise<Uint8Array>): void {
    this.chunks.set(name, sealed)
    sealed.catch(() => this.chunks.delete(name))
    const oldest = this.chunks.keys().next().value
    if (this.chunks.size > this.most && oldest !== undefined) this.chunks.delete(oldest)
  }

  clear(): void {
    this.chunks.clear()
  }
}
