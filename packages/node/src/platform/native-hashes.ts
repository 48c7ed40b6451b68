/** SHA-256 of node:crypto, by itself: a thread that only hashes loads nothing else. */
import crypto, { createHash } from 'node:crypto'
import type { HashStream, Primitives } from '@skein/core'

/** A plain Uint8Array of its own memory: a Buffer may be a window into a shared pool. */
function bytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer)
}

function sha256Stream(): HashStream {
  const hash = createHash('sha256')
  return { update: (part) => void hash.update(part), digest: () => bytes(hash.digest()) }
}

export const nativeHashes: Pick<Primitives, 'sha256' | 'sha256Stream'> = {
  sha256: (message) => bytes(crypto.hash('sha256', message, 'buffer')),
  sha256Stream,
}
