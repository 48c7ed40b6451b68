/** Parts of files in bundles of the mesh (ME27). */
import { SkeinError } from '../errors/index.ts'
import { decode, encode, exactly } from './codec.ts'
import { type FilePart, PARTS, SEALED_ROOT_BYTES } from './files.ts'
import { MeshBox, MeshCargo } from './gen/files_pb.ts'

/** Bytes of a sealed chunk in one bundle: all of a small chunk, a quarter of a large one. */
export const MAX_SLICE_BYTES = 262_160
/** With salt, places, and what seals add. */
const MAX_BOX_BYTES = MAX_SLICE_BYTES + 256
export const BOX_NAME_BYTES = 16
export const BOX_NONCE_BYTES = 12
export const CARGO_RANDOM_BYTES = 16
/** Slices have four sizes from each power of two to the next (ME27), the smallest this one: the last of a file tells its length to a fifth at best. */
const LEAST_STEP = 256
const STEPS_PER_OCTAVE = 4
/** What the field of the padding takes at most beside it. */
const PADDING_FIELD_BYTES = 4
const SALT_BYTES = 32

export interface MeshBoxFields {
  /** 16 bytes. */
  readonly name: Uint8Array
  /** 12 bytes. */
  readonly nonce: Uint8Array
  readonly sealed: Uint8Array
}

export type Cargo =
  | { readonly kind: 'probe' }
  | {
      readonly kind: 'slice'
      readonly part: FilePart
      /** 32 bytes. */
      readonly salt: Uint8Array
      readonly index: number
      /** Within the sealed chunk. */
      readonly offset: number
      /** At most MAX_SLICE_BYTES. */
      readonly bytes: Uint8Array
    }
  /** `root`: sealed, 48 bytes. */
  | { readonly kind: 'end'; readonly salt: Uint8Array; readonly root: Uint8Array }

export function encodeBox(box: MeshBoxFields): Uint8Array {
  return encode(MeshBox, box, MAX_BOX_BYTES)
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeBox(bytes: Uint8Array): MeshBoxFields {
  const { name, nonce, sealed } = decode(MeshBox, bytes, MAX_BOX_BYTES)
  return { name: exactly(name, BOX_NAME_BYTES), nonce: exactly(nonce, BOX_NONCE_BYTES), sealed }
}

/** @param random 16 bytes */
export function encodeCargo(cargo: Cargo, random: Uint8Array): Uint8Array {
  const padding = new Uint8Array(cargo.kind === 'slice' ? paddingFor(cargo.bytes.length) : 0)
  return encode(MeshCargo, { random, kind: messageOf(cargo), padding }, MAX_BOX_BYTES)
}

function paddingFor(length: number): number {
  const step = Math.max(LEAST_STEP, 2 ** Math.floor(Math.log2(Math.max(1, length - 1))) / STEPS_PER_OCTAVE)
  const wanted = Math.ceil(length / step) * step
  return Math.max(0, (wanted > MAX_SLICE_BYTES - LEAST_STEP ? MAX_SLICE_BYTES : wanted) - length - PADDING_FIELD_BYTES)
}

function messageOf(cargo: Cargo): MeshCargo['kind'] {
  if (cargo.kind === 'probe') return { $case: 'probe', value: {} }
  if (cargo.kind === 'end') return { $case: 'end', value: { salt: cargo.salt, root: cargo.root } }
  const { part, salt, index, offset, bytes } = cargo
  return { $case: 'slice', value: { part: PARTS.indexOf(part), salt, index, offset, bytes } }
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeCargo(bytes: Uint8Array): Cargo {
  const { random, kind } = decode(MeshCargo, bytes, MAX_BOX_BYTES)
  exactly(random, CARGO_RANDOM_BYTES)
  if (kind?.$case === 'probe') return { kind: 'probe' }
  if (kind?.$case === 'end')
    return { kind: 'end', salt: exactly(kind.value.salt, SALT_BYTES), root: exactly(kind.value.root, SEALED_ROOT_BYTES) }
  const part = kind === undefined ? undefined : PARTS[kind.value.part]
  if (kind === undefined || part === undefined || kind.value.offset % MAX_SLICE_BYTES !== 0)
    throw new SkeinError('BAD_FRAME', 'Part of a file is none that is known.')
  return { ...kind.value, kind: 'slice', part, salt: exactly(kind.value.salt, SALT_BYTES) }
}
