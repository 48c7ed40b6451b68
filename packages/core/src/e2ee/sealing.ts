/**
 * One message under its message key. The header is authenticated twice: by a tag under the chain's header key, so that
 * a forged one is refused for the price of one HMAC, and as associated data of the ciphertext (ER5, ER6).
 */
import { SkeinError } from '../errors/index.ts'
import type { Primitives } from '../ports/primitives.ts'
import { sameBytes } from '../wire/codec.ts'
import { HEADER_TAG_BYTES } from '../wire/sealed.ts'
import { sealingKey } from './key-derivation.ts'

/** ChaCha20-Poly1305 nonce: the start of the header's random bytes. The key is of one message, the nonce only must not be chosen by others. */
const NONCE_BYTES = 12
/** Made once, as libraries look at the bytes from another side, which costs an allocation for each new array. */
const nonce = new Uint8Array(NONCE_BYTES)

function nonceOf(random: Uint8Array): Uint8Array {
  for (let at = 0; at < NONCE_BYTES; at += 1) nonce[at] = random[at] ?? 0
  return nonce
}

export interface MessageKeys {
  readonly messageKey: Uint8Array
  readonly headerKey: Uint8Array
}

export interface HeaderBytes {
  /** What is authenticated: who the two are (EB5), the first flight if it goes along, the encoded header. */
  readonly associated: Uint8Array
  /** The header's 16 random bytes. */
  readonly random: Uint8Array
}

export function headerTag(primitives: Primitives, headerKey: Uint8Array, { associated }: HeaderBytes): Uint8Array {
  return primitives.hmacSha256(headerKey, associated).slice(0, HEADER_TAG_BYTES)
}

export function headerFits(primitives: Primitives, headerKey: Uint8Array, sealed: HeaderBytes & { readonly tag: Uint8Array }): boolean {
  return sameBytes(headerTag(primitives, headerKey, sealed), sealed.tag)
}

export function sealUnder(
  primitives: Primitives,
  messageKey: Uint8Array,
  message: HeaderBytes & { readonly plaintext: Uint8Array },
): Uint8Array {
  const { associated, random, plaintext } = message
  const key = sealingKey(primitives, messageKey, random)
  return primitives.aeadSeal(key, nonceOf(random), plaintext, associated)
}

/** @throws SkeinError SEAL_BROKEN */
export function openUnder(
  primitives: Primitives,
  messageKey: Uint8Array,
  message: HeaderBytes & { readonly ciphertext: Uint8Array },
): Uint8Array {
  const { associated, random, ciphertext } = message
  const key = sealingKey(primitives, messageKey, random)
  const plaintext = primitives.aeadOpen(key, nonceOf(random), ciphertext, associated)
  if (plaintext === null) throw new SkeinError('SEAL_BROKEN', 'A message does not open.')
  return plaintext
}
