/** The key schedule of the Double Ratchet (specification rev. 1, section 5.2), with a label of its own per purpose. */
import type { Primitives } from '../ports/primitives.ts'

const text = new TextEncoder()
const ROOT_INFO = text.encode('skein ratchet root v1')
const MESSAGE_INFO = text.encode('skein message key v1')
/** The label, room for a header's 16 random bytes, and the counter of HKDF's only block: all public, so one is enough. */
const SEALING_INPUT = concat(MESSAGE_INFO, new Uint8Array(16), Uint8Array.of(1))
/** Inputs of the chain's two HMACs (Double Ratchet, section 5.2, "recommended cryptographic algorithms"). */
const MESSAGE_KEY_INPUT = Uint8Array.of(0x01)
const CHAIN_KEY_INPUT = Uint8Array.of(0x02)

export interface RootStep {
  readonly root: Uint8Array
  readonly chain: Uint8Array
  /** Authenticates the headers of the chain; empty in a profile that has none. */
  readonly headerKey: Uint8Array
}

/** How a ratchet turns a Diffie-Hellman output into a new root and chain; all keys have 32 bytes. */
export type RootDerivation = (root: Uint8Array, shared: Uint8Array) => RootStep

/** Skein's root step: HKDF with the root as salt; the third key authenticates headers before any other work is done. */
export function rootDerivation(primitives: Primitives): RootDerivation {
  return (root, shared) => {
    const out = primitives.hkdfSha256(shared, root, ROOT_INFO, 96)
    return { root: out.slice(0, 32), chain: out.slice(32, 64), headerKey: out.slice(64, 96) }
  }
}

/** One step of a symmetric chain. */
export function chainStep(primitives: Primitives, chain: Uint8Array): { readonly messageKey: Uint8Array; readonly next: Uint8Array } {
  return { messageKey: primitives.hmacSha256(chain, MESSAGE_KEY_INPUT), next: primitives.hmacSha256(chain, CHAIN_KEY_INPUT) }
}

/**
 * The AEAD key of one message. `random` are the 16 bytes of its header: a database copied back from yesterday makes the
 * same message keys again, but never the same AEAD key. One HMAC is HKDF-Expand of 32 bytes (RFC 5869, section 2.3);
 * the message key is uniform already, so there is nothing to extract.
 */
export function sealingKey(primitives: Primitives, messageKey: Uint8Array, random: Uint8Array): Uint8Array {
  SEALING_INPUT.set(random, MESSAGE_INFO.length)
  return primitives.hmacSha256(messageKey, SEALING_INPUT)
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
