/** Branded identifiers; made only by the parsers here and in `identity`, so that a plain string cannot pass for one. */
import { base32nopad, base58, hex } from '@scure/base'
import { SkeinError } from './errors/index.ts'

declare const brand: unique symbol
type Brand<T, B extends string> = T & { readonly [brand]: B }

/** Base32 (lower case, 52 characters) of SHA-256 of the account key. */
export type AccountId = Brand<string, 'AccountId'>
/** libp2p peer id of an Ed25519 device key, base58btc, `12D3KooW…`. */
export type DeviceId = Brand<string, 'DeviceId'>
/** 16 random bytes in lower-case hex; unique per sender device. */
export type MessageId = Brand<string, 'MessageId'>

/** Protobuf header of an Ed25519 public key inside an identity multihash (libp2p peer-ids specification, "Key Types"). */
const ED25519_PEER_ID_HEADER = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)
const ED25519_KEY_BYTES = 32
const ACCOUNT_ID = /^[a-z2-7]{52}$/
const MESSAGE_ID = /^[0-9a-f]{32}$/

/** @param key Ed25519 public key, 32 bytes */
export function deviceIdFromKey(key: Uint8Array): DeviceId {
  if (key.length !== ED25519_KEY_BYTES) throw new RangeError('an Ed25519 public key has 32 bytes')
  const bytes = new Uint8Array(ED25519_PEER_ID_HEADER.length + key.length)
  bytes.set(ED25519_PEER_ID_HEADER)
  bytes.set(key, ED25519_PEER_ID_HEADER.length)
  return base58.encode(bytes) as DeviceId
}

/** The Ed25519 public key inside a device id, 32 bytes. @throws SkeinError BAD_FRAME for any other kind of peer id */
export function deviceKey(device: DeviceId): Uint8Array {
  return keyInside(device)
}

/** @throws SkeinError BAD_FRAME when `text` is not the peer id of an Ed25519 key */
export function parseDeviceId(text: string): DeviceId {
  keyInside(text)
  return text as DeviceId
}

export function isDeviceId(text: string): text is DeviceId {
  return rawKey(text) !== undefined
}

function keyInside(text: string): Uint8Array {
  const key = rawKey(text)
  if (key === undefined) throw new SkeinError('BAD_FRAME', 'This is not the peer id of an Ed25519 key.')
  return key
}

function rawKey(text: string): Uint8Array | undefined {
  const bytes = text.length <= 64 ? decodeBase58(text) : undefined
  const header = ED25519_PEER_ID_HEADER
  const fits = bytes?.length === header.length + ED25519_KEY_BYTES && header.every((byte, at) => bytes[at] === byte)
  return fits ? bytes.slice(header.length) : undefined
}

function decodeBase58(text: string): Uint8Array | undefined {
  try {
    return base58.decode(text)
  } catch {
    return undefined
  }
}

/** @param digest SHA-256 of the account key, 32 bytes */
export function accountIdFromDigest(digest: Uint8Array): AccountId {
  return base32nopad.encode(digest).toLowerCase() as AccountId
}

/** The 32-byte digest inside an account id. */
export function accountDigest(account: AccountId): Uint8Array {
  return base32nopad.decode(account.toUpperCase())
}

export function isAccountId(text: string): text is AccountId {
  return ACCOUNT_ID.test(text)
}

/** @param bytes 16 bytes. @throws SkeinError BAD_FRAME at any other length */
export function messageIdFromBytes(bytes: Uint8Array): MessageId {
  if (bytes.length !== 16) throw new SkeinError('BAD_FRAME', 'A message id has 16 bytes.')
  return hex.encode(bytes) as MessageId
}

/** @throws SkeinError MESSAGE_UNKNOWN when `text` cannot be a message id */
export function parseMessageId(text: string): MessageId {
  if (!MESSAGE_ID.test(text)) throw new SkeinError('MESSAGE_UNKNOWN', 'This is not a message id: it has 32 hexadecimal digits.')
  return text as MessageId
}

export function messageIdBytes(id: MessageId): Uint8Array {
  return hex.decode(id)
}
