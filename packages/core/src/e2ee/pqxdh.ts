/**
 * PQXDH (Kret and Schmidt, rev. 3): a shared secret with a device that may be away, from X25519 and ML-KEM-768, so that
 * who records today and breaks X25519 tomorrow has nothing. The KEM key and its ciphertext go into the derivation, as
 * the formal analysis of the protocol asks.
 */
import { SkeinError } from '../errors/index.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import { concat } from './key-derivation.ts'
import type { KeyPair } from './ratchet.ts'

/** Section 2.2: 32 bytes 0xFF before the secrets, so that the input is never an encoded curve point. */
const F = new Uint8Array(32).fill(0xff)
const ZERO_SALT = new Uint8Array(32)
/** "info": protocol, curve, hash, KEM. */
const INFO = new TextEncoder().encode('skein pqxdh v1 CURVE25519 SHA-256 ML-KEM-768')

export interface PqxdhSecret {
  /** 32 bytes: the ratchet's first root. */
  readonly secret: Uint8Array
  /** Names the session to both; reveals nothing of the secret. */
  readonly sessionId: number
}

export interface RemotePrekeys {
  /** X25519 key of the device, certified in the device list. */
  readonly identity: Uint8Array
  readonly signedPrekey: Uint8Array
  readonly oneTime: Uint8Array | undefined
  readonly kemKey: Uint8Array
}

export interface Initiation extends PqxdhSecret {
  readonly ephemeralKey: Uint8Array
  readonly kemCiphertext: Uint8Array
}

interface Agreement {
  readonly shares: readonly (Uint8Array | null)[]
  readonly kemShared: Uint8Array
  readonly kemKey: Uint8Array
  readonly kemCiphertext: Uint8Array
  readonly identities: Uint8Array
}

export interface Initiating {
  /** Our device's X25519 secret. */
  readonly identitySecret: Uint8Array
  readonly remote: RemotePrekeys
  /** Associated data of the pair (EB5). */
  readonly identities: Uint8Array
}

/** @throws SkeinError KEY_REFUSED when a key contributes nothing or is no ML-KEM key */
export function initiate(
  { primitives, random }: { primitives: Primitives; random: Random },
  { identitySecret, remote, identities }: Initiating,
): Initiation {
  const ephemeral = random.bytes(32)
  const kem = primitives.mlKemEncapsulate(remote.kemKey, random.bytes(32))
  if (kem === null) throw refused()
  const shares = [
    primitives.x25519(identitySecret, remote.signedPrekey),
    primitives.x25519(ephemeral, remote.identity),
    primitives.x25519(ephemeral, remote.signedPrekey),
    ...(remote.oneTime === undefined ? [] : [primitives.x25519(ephemeral, remote.oneTime)]),
  ]
  const secret = agree(primitives, { shares, kemShared: kem.shared, kemKey: remote.kemKey, kemCiphertext: kem.ciphertext, identities })
  return { ...secret, ephemeralKey: primitives.x25519PublicKey(ephemeral), kemCiphertext: kem.ciphertext }
}

export interface Responding {
  readonly identitySecret: Uint8Array
  readonly signedPrekey: KeyPair
  /** ML-KEM seed, 64 bytes. */
  readonly kemSeed: Uint8Array
  readonly oneTimeSecret: Uint8Array | undefined
  /** X25519 key of the initiator's device, from its device list, never from the message. */
  readonly remoteIdentity: Uint8Array
  readonly ephemeralKey: Uint8Array
  readonly kemCiphertext: Uint8Array
  readonly identities: Uint8Array
}

/** @throws SkeinError KEY_REFUSED. A forged flight gives a secret under which nothing opens. */
export function respond(primitives: Primitives, flight: Responding): PqxdhSecret {
  const { identitySecret, signedPrekey, remoteIdentity, ephemeralKey, oneTimeSecret } = flight
  const kemShared = primitives.mlKemDecapsulate(flight.kemCiphertext, flight.kemSeed)
  if (kemShared === null) throw refused()
  const shares = [
    primitives.x25519(signedPrekey.secret, remoteIdentity),
    primitives.x25519(identitySecret, ephemeralKey),
    primitives.x25519(signedPrekey.secret, ephemeralKey),
    ...(oneTimeSecret === undefined ? [] : [primitives.x25519(oneTimeSecret, ephemeralKey)]),
  ]
  const kemKey = primitives.mlKemPublicKey(flight.kemSeed)
  return agree(primitives, { shares, kemShared, kemKey, kemCiphertext: flight.kemCiphertext, identities: flight.identities })
}

function agree(primitives: Primitives, { shares, kemShared, kemKey, kemCiphertext, identities }: Agreement): PqxdhSecret {
  const contributed = shares.filter((share) => share !== null)
  if (contributed.length !== shares.length) throw refused()
  const context = primitives.sha256(concat(kemKey, kemCiphertext, identities))
  const out = primitives.hkdfSha256(concat(F, ...contributed, kemShared), ZERO_SALT, concat(INFO, context), 36)
  return { secret: out.slice(0, 32), sessionId: new DataView(out.buffer, out.byteOffset + 32, 4).getUint32(0, true) }
}

function refused(): SkeinError {
  return new SkeinError('KEY_REFUSED', 'A key of the other side contributes nothing.')
}
