/**
 * HMAC-SHA-256 (RFC 2104) and HKDF (RFC 5869) on the library's SHA-256. The library makes two new hashes and five arrays for every HMAC,
 * which takes longer than hashing a short message; these are made once and wiped after each use.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { concat } from './key-derivation.ts'

const BLOCK_BYTES = 64
/** Four bytes 0x36 at once. */
const INNER_PAD = 0x36363636
/** Turns the inner pad into the outer one. */
const INNER_TO_OUTER = 0x36363636 ^ 0x5c5c5c5c

const fresh = sha256.create()
const inner = sha256.create()
const outer = sha256.create()
const room = new Uint8Array(BLOCK_BYTES + 32)
const pad = room.subarray(0, BLOCK_BYTES)
const padWords = new Uint32Array(room.buffer, 0, BLOCK_BYTES / 4)
/** The library copies half a block, while for a whole one it makes a view. */
const halves = [pad.subarray(0, BLOCK_BYTES / 2), pad.subarray(BLOCK_BYTES / 2)] as const
const digest = room.subarray(BLOCK_BYTES)

function mask(word: number): void {
  for (let at = 0; at < padWords.length; at += 1) padWords[at] = (padWords[at] ?? 0) ^ word
}

export function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
  // Also after a call that was broken off.
  pad.fill(0)
  pad.set(key.length > BLOCK_BYTES ? sha256(key) : key)
  mask(INNER_PAD)
  fresh._cloneInto(inner).update(halves[0]).update(halves[1]).update(message)
  mask(INNER_TO_OUTER)
  fresh._cloneInto(outer).update(halves[0]).update(halves[1])
  inner.digestInto(digest)
  outer.update(digest).digestInto(digest)
  const out = digest.slice()
  wipe()
  return out
}

/** Cloning into a wiped hash makes it new again. */
function wipe(): void {
  room.fill(0)
  inner.destroy()
  outer.destroy()
}

const HASH_BYTES = 32
/** RFC 5869, section 2.3: the counter is one byte. */
const MAX_BLOCKS = 255

export function hkdfSha256(key: Uint8Array, salt: Uint8Array, info: Uint8Array, bytes: number): Uint8Array {
  return hkdfExpand(hmacSha256, hmacSha256(salt, key), { info, bytes })
}

/** The second step alone, with the HMAC of a backend (RFC 5869, section 2.3). */
export function hkdfExpand(
  hmac: (key: Uint8Array, message: Uint8Array) => Uint8Array,
  prk: Uint8Array,
  { info, bytes }: { readonly info: Uint8Array; readonly bytes: number },
): Uint8Array {
  if (!Number.isInteger(bytes) || bytes < 0 || bytes > MAX_BLOCKS * HASH_BYTES) throw new RangeError('HKDF gives at most 8,160 bytes')
  const okm = new Uint8Array(Math.ceil(bytes / HASH_BYTES) * HASH_BYTES)
  let block: Uint8Array = new Uint8Array()
  for (let at = 0; at < bytes; at += HASH_BYTES) {
    block = hmac(prk, concat(block, info, Uint8Array.of(at / HASH_BYTES + 1)))
    okm.set(block, at)
  }
  return okm.slice(0, bytes)
}
