/**
 * AES-256-GCM of node:crypto for chunks of files, into memory that is given. node:crypto makes a new buffer for each answer;
 * in small pieces, given back at once, that is the same few pages again and again instead of fresh ones for each chunk.
 */
import { type CipherGCM, createCipheriv, createDecipheriv, type DecipherGCM } from 'node:crypto'
import type { Primitives } from '@skein/core'

const TAG_BYTES = 16
/** What the system's allocator keeps to itself and does not give back; in 16 to 128 KiB it is the same. */
const PIECE_BYTES = 65_536

/** @param take memory of exactly this length, of its own */
export function largeAesGcm(take: (length: number) => Uint8Array): Pick<Primitives, 'aesGcmSeal' | 'aesGcmOpen'> {
  return {
    aesGcmSeal(key, nonce, plaintext, associated) {
      const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES }).setAAD(associated)
      const sealed = take(plaintext.length + TAG_BYTES)
      pass(cipher, plaintext, sealed)
      cipher.final()
      sealed.set(cipher.getAuthTag(), plaintext.length)
      return sealed
    },
    aesGcmOpen(key, nonce, sealed, associated) {
      const length = sealed.length - TAG_BYTES
      if (length < 0) return null
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES }).setAAD(associated)
      decipher.setAuthTag(sealed.subarray(length))
      const opened = take(length)
      pass(decipher, sealed.subarray(0, length), opened)
      return isWhole(decipher) ? opened : null
    },
  }
}

function pass(cipher: CipherGCM | DecipherGCM, from: Uint8Array, to: Uint8Array): void {
  for (let at = 0; at < from.length; at += PIECE_BYTES) {
    const piece = cipher.update(from.subarray(at, at + PIECE_BYTES))
    to.set(piece, at)
    // Detached, its memory is free now; a collection comes late in a thread that has a small heap.
    if (piece.length === piece.buffer.byteLength) (piece.buffer as ArrayBuffer).transfer(0)
  }
}

function isWhole(decipher: DecipherGCM): boolean {
  try {
    decipher.final()
    return true
  } catch {
    return false
  }
}
