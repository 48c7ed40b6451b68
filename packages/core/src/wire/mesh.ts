/** Frames between mesh neighbours. */
import { hex } from '@scure/base'
import { SkeinError } from '../errors/index.ts'
import { atMost, decode, encode, exactly } from './codec.ts'
import { MeshControl } from './gen/mesh_pb.ts'

/** Length of a bundle's key on the air: with 10,000 bundles two are alike once in 10^11 meshes. */
export const BUNDLE_KEY_BYTES = 8
export const CURE_KEY_BYTES = 16
const ADDRESS_BYTES = 4
/** One coded symbol: sum of keys (8), sum of checks (4), count (1). */
export const SYMBOL_BYTES = 13
/** Counters for the estimate; the error is about one quarter (the square root of 2 / 32). */
export const PULL_BYTES = 32
/** Most symbols of one sketch (ME7): enough for about 2,700 differences. */
export const MAX_SYMBOLS = 4_096
/** Larger differences are compared share by share: at the eighth step there are 65,536 of them (ME7). */
export const MAX_DEPTH = 8
/** Keys in one frame (ME4); more go into further frames. */
export const MAX_KEYS_IN_FRAME = 4_096
/** Proofs of delivery in one frame (ME4). */
export const MAX_CURES_IN_FRAME = 2_048
/** Prospects in one frame (ME4). */
export const MAX_PROSPECTS_IN_FRAME = 4_096
/** Broken-off transfers in one frame (ME4). */
export const MAX_PARTIALS_IN_FRAME = 256
/** Numbers of experience in one frame (ME4). */
export const MAX_EXPERIENCE = 64
/** Own addresses in one frame (ME4): contacts times days. */
export const MAX_ADDRESSES_IN_FRAME = 4_096

export interface CureFields {
  readonly key: Uint8Array
  /** Hours since 1970. */
  readonly expiryHour: number
}

export interface PartialFields {
  /** Hex, 16 digits. */
  readonly key: string
  readonly bytes: number
}

export interface SketchFields {
  readonly salt: number
  /** Index of the first symbol. */
  readonly from: number
  /** Packed, 13 bytes each. */
  readonly symbols: Uint8Array
  /** Empty, or 32 counters. */
  readonly pulls: Uint8Array
  /** Only keys whose first 2 × depth bits are `share` are in it: 0 for all, at most MAX_DEPTH. */
  readonly depth: number
  readonly share: number
}

export interface MeshControlFields {
  readonly addresses: readonly number[]
  /** Hex, 16 digits each. */
  readonly gained: readonly string[]
  readonly lost: readonly string[]
  readonly offered: readonly string[]
  readonly cures: readonly CureFields[]
  readonly prospects: readonly { readonly address: number; readonly value: number }[]
  readonly partials: readonly PartialFields[]
  readonly sketch: SketchFields | undefined
  readonly more: number
  /** First 8 bytes of locks, hex. */
  readonly wanted: readonly string[]
  readonly experience: readonly number[]
  /** What `sketch`, `more` and `wanted` are about, or that bundles are named one by one. */
  readonly about: number
  /** Bundles the sender would name. */
  readonly listed: number
  /** Of the keys of all it holds. */
  readonly sum: number
}

export const ABOUT_BUNDLES = 1
export const BUNDLES_LISTED = 2

/** @throws SkeinError FRAME_TOO_LARGE */
export function encodeMeshControl(control: MeshControlFields): Uint8Array {
  return encode(MeshControl, {
    ...control,
    addresses: packedAddresses(control.addresses),
    gained: hex.decode(control.gained.join('')),
    lost: hex.decode(control.lost.join('')),
    offered: hex.decode(control.offered.join('')),
    cures: [...control.cures],
    prospects: [...control.prospects],
    wanted: hex.decode(control.wanted.join('')),
    experience: [...control.experience],
    partials: control.partials.map(({ key, bytes }) => ({ key: hex.decode(key), bytes })),
  })
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeMeshControl(bytes: Uint8Array): MeshControlFields {
  const said = decode(MeshControl, bytes)
  const { addresses, gained, lost, offered, cures, prospects, partials, sketch, wanted, experience } = said
  for (const { key } of atMost(cures, MAX_CURES_IN_FRAME)) exactly(key, CURE_KEY_BYTES)
  return {
    ...said,
    addresses: unpackedAddresses(addresses),
    gained: unpackedKeys(gained),
    lost: unpackedKeys(lost),
    offered: unpackedKeys(offered),
    prospects: atMost(prospects, MAX_PROSPECTS_IN_FRAME),
    partials: atMost(partials, MAX_PARTIALS_IN_FRAME).map(({ key, bytes: here }) => ({
      key: hex.encode(exactly(key, BUNDLE_KEY_BYTES)),
      bytes: here,
    })),
    sketch: sketch === undefined ? undefined : soundSketch(sketch),
    wanted: unpackedKeys(wanted),
    experience: atMost(experience, MAX_EXPERIENCE),
  }
}

function soundSketch(sketch: SketchFields): SketchFields {
  pieces(sketch.symbols, SYMBOL_BYTES, MAX_SYMBOLS)
  if (sketch.depth > MAX_DEPTH || sketch.share >= 4 ** sketch.depth)
    throw new SkeinError('BAD_FRAME', 'A sketch is of a share that is none.')
  if (sketch.from > MAX_SYMBOLS) throw new SkeinError('BAD_FRAME', 'A sketch goes on too long.')
  if (sketch.pulls.length > 0) exactly(sketch.pulls, PULL_BYTES)
  return sketch
}

function packedAddresses(addresses: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(addresses.length * ADDRESS_BYTES))
  for (const [at, address] of addresses.entries()) view.setUint32(at * ADDRESS_BYTES, address)
  return new Uint8Array(view.buffer)
}

function unpackedAddresses(bytes: Uint8Array): number[] {
  const count = pieces(bytes, ADDRESS_BYTES, MAX_ADDRESSES_IN_FRAME)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: count }, (_, at) => view.getUint32(at * ADDRESS_BYTES))
}

function unpackedKeys(bytes: Uint8Array): string[] {
  const count = pieces(bytes, BUNDLE_KEY_BYTES, MAX_KEYS_IN_FRAME)
  const digits = hex.encode(bytes)
  return Array.from({ length: count }, (_, at) => digits.slice(at * 2 * BUNDLE_KEY_BYTES, (at + 1) * 2 * BUNDLE_KEY_BYTES))
}

function pieces(bytes: Uint8Array, length: number, most: number): number {
  if (bytes.length % length !== 0 || bytes.length > most * length) throw new SkeinError('BAD_FRAME', 'A packed list has the wrong length.')
  return bytes.length / length
}
