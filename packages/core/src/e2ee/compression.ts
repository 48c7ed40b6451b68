/** Compression in plain JavaScript, for where the platform has none that answers at once. */
import { deflateSync, inflateSync } from 'fflate'
import type { Compression } from '../ports/compression.ts'

export const fflateCompression: Compression = {
  deflate: (bytes) => deflateSync(bytes, { level: 6 }),
  inflate: (deflated, most) => {
    // A buffer of our own size: the decompressor never asks for more, and what does not fit shows by filling the last byte.
    const expanded = inflateSync(deflated, { out: new Uint8Array(most + 1) })
    return expanded.length > most ? undefined : expanded.slice()
  },
}
