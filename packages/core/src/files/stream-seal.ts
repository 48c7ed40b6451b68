/**
 * Chunks sealed one by one (FI9): the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár: "Online Authenticated-
 * Encryption and its Nonce-Reuse Misuse-Resistance", 2015) on AES-256-GCM. Nonce: prefix ‖ index ‖ flag. Each opening of a
 * source has a key of its own, so that no nonce comes twice under one key though chunks are sealed again after a restart.
 */
import type { Primitives } from '../ports/primitives.ts'
import type { FilePart } from '../wire/files.ts'

const KEY_BYTES = 32
const PREFIX_BYTES = 7
const LABEL = 'skein file stream v1'
/** Of the nonce's last byte. */
const FLAGS = { more: 0, last: 1, root: 2 } as const

export interface StreamKey {
  /** 32 bytes. */
  readonly key: Uint8Array
  /** 7 bytes. */
  readonly prefix: Uint8Array
}

export interface ChunkPlace {
  /** 0 to 2^32 − 1. */
  readonly index: number
  readonly last: boolean
}

type Sealing = Pick<Primitives, 'aesGcmSeal' | 'aesGcmOpen'>

/** AES-256-GCM as of Primitives, of something that may answer later. */
export interface LaterSealing {
  aesGcmSeal(...args: Parameters<Primitives['aesGcmSeal']>): Uint8Array | Promise<Uint8Array>
  aesGcmOpen(...args: Parameters<Primitives['aesGcmOpen']>): Uint8Array | null | Promise<Uint8Array | null>
}

/** @param fileKey of the manifest, 32 bytes @param salt 32 bytes */
export function deriveStreamKey(
  { hkdfSha256 }: Pick<Primitives, 'hkdfSha256'>,
  fileKey: Uint8Array,
  { salt, part }: { readonly salt: Uint8Array; readonly part: FilePart },
): StreamKey {
  const made = hkdfSha256(fileKey, salt, new TextEncoder().encode(`${LABEL} ${part}`), KEY_BYTES + PREFIX_BYTES)
  return { key: made.slice(0, KEY_BYTES), prefix: made.slice(KEY_BYTES) }
}

function nonce({ prefix }: StreamKey, index: number, flag: number): Uint8Array {
  const bytes = new Uint8Array(PREFIX_BYTES + 5)
  bytes.set(prefix)
  new DataView(bytes.buffer).setUint32(PREFIX_BYTES, index)
  bytes[PREFIX_BYTES + 4] = flag
  return bytes
}

const NOTHING = new Uint8Array()

/** @returns the chunk and a tag of 16 bytes */
export function sealChunk<T>(
  on: { aesGcmSeal(...args: Parameters<Primitives['aesGcmSeal']>): T },
  stream: StreamKey,
  { index, last, bytes }: ChunkPlace & { readonly bytes: Uint8Array },
): T {
  return on.aesGcmSeal(stream.key, nonce(stream, index, last ? FLAGS.last : FLAGS.more), bytes, NOTHING)
}

/** `null` when it was changed, is of another place, or of another stream. */
export function openChunk<T>(
  on: { aesGcmOpen(...args: Parameters<Primitives['aesGcmOpen']>): T },
  stream: StreamKey,
  { index, last, bytes }: ChunkPlace & { readonly bytes: Uint8Array },
): T {
  return on.aesGcmOpen(stream.key, nonce(stream, index, last ? FLAGS.last : FLAGS.more), bytes, NOTHING)
}

/** The root of the hash tree, which follows when all has been read. */
export function sealRoot(on: Sealing, stream: StreamKey, root: Uint8Array): Uint8Array {
  return on.aesGcmSeal(stream.key, nonce(stream, 0, FLAGS.root), root, NOTHING)
}

/** `null` when it was not made by who has the key. */
export function openRoot(on: Sealing, stream: StreamKey, sealed: Uint8Array): Uint8Array | null {
  return on.aesGcmOpen(stream.key, nonce(stream, 0, FLAGS.root), sealed, NOTHING)
}
