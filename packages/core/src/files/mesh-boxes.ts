/** Seals parts of files for the mesh (ME27): nobody on the way sees which file, which part, or whose. */
import { isSkeinError } from '../errors/index.ts'
import { type DeviceId, deviceKey, messageIdBytes } from '../ids.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import { sameBytes } from '../wire/codec.ts'
import {
  BOX_NAME_BYTES,
  BOX_NONCE_BYTES,
  type Cargo,
  CARGO_RANDOM_BYTES,
  decodeBox,
  decodeCargo,
  encodeBox,
  encodeCargo,
  type MeshBoxFields,
} from '../wire/mesh-cargo.ts'
import type { Live } from './transfer-book.ts'

const LABEL = new TextEncoder().encode('skein file mesh v1')
const KEY_BYTES = 32
const NO_DATA = new Uint8Array()

/** What the boxes of one file for one device have in common. */
export interface Lane {
  /** 16 bytes, in clear on every box. */
  readonly name: Uint8Array
  /** 32 bytes. */
  readonly key: Uint8Array
}

export interface OpenedBox {
  readonly cargo: Cargo
  /** Encoded; secret. */
  readonly content: Uint8Array
}

type Sealing = Pick<Primitives, 'aesGcmSeal' | 'aesGcmOpen'>

/** @param device that receives */
export function laneOf({ hkdfSha256 }: Pick<Primitives, 'hkdfSha256'>, { stored, manifest }: Live, device: DeviceId): Lane {
  const salt = new Uint8Array([...messageIdBytes(stored.id), ...deviceKey(device)])
  const made = hkdfSha256(manifest.key, salt, LABEL, BOX_NAME_BYTES + KEY_BYTES)
  return { name: made.slice(0, BOX_NAME_BYTES), key: made.slice(BOX_NAME_BYTES) }
}

/** @returns the box, and the secret content that its opening proves */
export function sealBox(
  { aesGcmSeal }: Sealing,
  { name, key }: Lane,
  { cargo, random }: { readonly cargo: Cargo; readonly random: Pick<Random, 'bytes'> },
): { readonly sealed: Uint8Array; readonly content: Uint8Array } {
  const content = encodeCargo(cargo, random.bytes(CARGO_RANDOM_BYTES))
  const nonce = random.bytes(BOX_NONCE_BYTES)
  return { sealed: encodeBox({ name, nonce, sealed: aesGcmSeal(key, nonce, content, NO_DATA) }), content }
}

/** `undefined` for what is none. */
export function readBox(sealed: Uint8Array): MeshBoxFields | undefined {
  return parsed(() => decodeBox(sealed))
}

/** `undefined` for a box of another lane, and for what was changed. */
export function openBox({ aesGcmOpen }: Sealing, { name, key }: Lane, box: MeshBoxFields): OpenedBox | undefined {
  const content = sameBytes(name, box.name) ? aesGcmOpen(key, box.nonce, box.sealed, NO_DATA) : null
  const cargo = content === null ? undefined : parsed(() => decodeCargo(content))
  return content === null || cargo === undefined ? undefined : { cargo, content }
}

function parsed<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch (error) {
    if (isSkeinError(error)) return undefined
    throw error
  }
}
