/**
 * What two devices make of what they tell each other while linking (DV6, DV7): pure. The new device settles its share by a
 * commitment before it sees the other one's, so whoever stands between them cannot look for shares that give both sides the
 * same code: there is one guess in a million, once for each link.
 */
import { concat } from '../e2ee/key-derivation.ts'
import { SkeinError } from '../errors/index.ts'
import type { Primitives } from '../ports/primitives.ts'
import { decodeLinkGrant, encodeLinkGrant, encodeLinkShare, type LinkGrantFields, type LinkShare } from '../wire/devices.ts'

const text = new TextEncoder()
const PROOF = text.encode('skein link proof v1\0')
const COMMITMENT = text.encode('skein link commitment v1\0')
const TRANSCRIPT = text.encode('skein link transcript v1\0')
const CODE = text.encode('skein link code v1')
const GRANT = text.encode('skein link grant v1')
/** The key is used once. */
const NONCE = new Uint8Array(12)
const CODE_DIGITS = 6

/** Device keys, 32 bytes each. */
export interface LinkEnds {
  readonly guest: Uint8Array
  readonly host: Uint8Array
}

/** Shows the host that the guest has read the link; worth nothing for another pair of devices. */
export function linkProof(primitives: Primitives, secret: Uint8Array, { guest, host }: LinkEnds): Uint8Array {
  return primitives.hmacSha256(secret, concat(PROOF, guest, host))
}

export function commitmentTo(primitives: Primitives, share: LinkShare): Uint8Array {
  return primitives.sha256(concat(COMMITMENT, encodeLinkShare(share)))
}

export interface Handshake {
  readonly ends: LinkEnds
  /** 16 bytes, from the link. */
  readonly secret: Uint8Array
  /** The guest's X25519 key for sessions. */
  readonly dhKey: Uint8Array
  readonly guestShare: LinkShare
  readonly hostShare: LinkShare
}

export interface LinkKeys {
  /** Six digits, the same on both screens. */
  readonly code: string
  seal(grant: LinkGrantFields): Uint8Array
  /** @throws SkeinError SEAL_BROKEN, BAD_FRAME */
  open(sealed: Uint8Array): LinkGrantFields
}

/** @param own the X25519 secret of our share @param other the other side's share @throws SkeinError KEY_REFUSED */
export function linkKeys(
  primitives: Primitives,
  handshake: Handshake,
  { own, other }: { readonly own: Uint8Array; readonly other: LinkShare },
): LinkKeys {
  const { ends, secret, dhKey, guestShare, hostShare } = handshake
  const shared = primitives.x25519(own, other.key)
  if (shared === null) throw new SkeinError('KEY_REFUSED', 'A key of the other device is worth nothing.')
  const said = [ends.guest, ends.host, dhKey, hostShare.key, hostShare.nonce, guestShare.key, guestShare.nonce]
  const transcript = primitives.sha256(concat(TRANSCRIPT, ...said))
  const key = primitives.hkdfSha256(concat(shared, secret), transcript, GRANT, 32)
  return {
    code: codeOf(primitives.hkdfSha256(concat(shared, secret), transcript, CODE, 5)),
    seal: (grant) => primitives.aeadSeal(key, NONCE, encodeLinkGrant(grant), transcript),
    open: (sealed) => {
      const grant = primitives.aeadOpen(key, NONCE, sealed, transcript)
      if (grant === null) throw new SkeinError('SEAL_BROKEN', 'What the other device handed over does not open.')
      return decodeLinkGrant(grant)
    },
  }
}

/** @param bytes 5 bytes, a big-endian number: 2^40 is a million times a million, so no code is likelier than another by more than a millionth */
function codeOf(bytes: Uint8Array): string {
  const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0)
  return String(number % 10 ** CODE_DIGITS).padStart(CODE_DIGITS, '0')
}
