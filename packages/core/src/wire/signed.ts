/** Signed statements: bytes and an Ed25519 signature over (label ‖ 0x00 ‖ bytes). */
import type { Primitives } from '../ports/primitives.ts'
import { decode, encode, exactly } from './codec.ts'
import { Signed } from './gen/skein_pb.ts'

/** Domain separation: a signature made for one kind of statement is worth nothing for another. */
export type StatementLabel =
  | 'skein device list v1'
  | 'skein device dh key v1'
  | 'skein contact card v1'
  | 'skein account record v1'
  | 'skein presence v1'
  | 'skein prekey bundle v1'
  | 'skein mail receipt v1'
  | 'skein fetch right v1'
  | 'skein delivery proof v1'

export interface SignedBytes {
  readonly statement: Uint8Array
  /** 64 bytes. */
  readonly signature: Uint8Array
}

function labelled(label: StatementLabel, statement: Uint8Array): Uint8Array {
  const prefix = new TextEncoder().encode(`${label}\0`)
  const bytes = new Uint8Array(prefix.length + statement.length)
  bytes.set(prefix)
  bytes.set(statement, prefix.length)
  return bytes
}

/** @param seed Ed25519 seed, 32 bytes */
export function sign(
  primitives: Primitives,
  label: StatementLabel,
  { statement, seed }: { statement: Uint8Array; seed: Uint8Array },
): SignedBytes {
  return { statement, signature: primitives.ed25519Sign(labelled(label, statement), seed) }
}

/** Whether `key` (Ed25519 public key, 32 bytes) made this signature for this kind of statement. */
export function isSignedBy(
  primitives: Pick<Primitives, 'ed25519Verify'>,
  label: StatementLabel,
  { signed, key }: { signed: SignedBytes; key: Uint8Array },
): boolean {
  return primitives.ed25519Verify(signed.signature, labelled(label, signed.statement), key)
}

export function encodeSigned(signed: SignedBytes): Uint8Array {
  return encode(Signed, signed)
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeSigned(bytes: Uint8Array): SignedBytes {
  return signedOf(decode(Signed, bytes))
}

/** A parsed `Signed` field with its lengths checked. @throws SkeinError BAD_FRAME */
export function signedOf(message: { statement: Uint8Array; signature: Uint8Array } | undefined): SignedBytes {
  return { statement: message?.statement ?? new Uint8Array(), signature: exactly(message?.signature ?? new Uint8Array(), 64) }
}
