/**
 * Olm's constants on the same ratchet steps (https://gitlab.matrix.org/matrix-org/olm/-/blob/master/docs/olm.md): lets
 * an implementation of others judge ours. Only the key schedule and the sealing differ; Olm has no header key and does
 * not say how long the chain before was, so that old chains stay open.
 */
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { cbc } from '@noble/ciphers/aes.js'
import { concat, type RootDerivation } from '../e2ee/key-derivation.ts'
import { type KeyPair, type RatchetContext, ratchetReceive, ratchetSend, type RatchetState } from '../e2ee/ratchet.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import { sameBytes } from '../wire/codec.ts'

const text = new TextEncoder()
const ROOT_INFO = text.encode('OLM_ROOT')
const RATCHET_INFO = text.encode('OLM_RATCHET')
const KEYS_INFO = text.encode('OLM_KEYS')
const NO_SALT = new Uint8Array(32)
const NO_HEADER_KEY = new Uint8Array()
const VERSION = Uint8Array.of(3)
const MAC_BYTES = 8
/** Field numbers of Olm's message and of its pre-key message. */
const MESSAGE = { ratchetKey: 1, index: 2, ciphertext: 4 } as const
const PRE_KEY = { oneTimeKey: 1, baseKey: 2, identityKey: 3, message: 4 } as const

/** Type of a message as Olm counts: 0 carries the first flight, 1 does not. */
export interface OlmMessage {
  readonly type: 0 | 1
  readonly bytes: Uint8Array
}

export interface PreKeyFields {
  readonly oneTimeKey: Uint8Array
  readonly baseKey: Uint8Array
  readonly identityKey: Uint8Array
  readonly message: Uint8Array
}

export function olmContext(primitives: Primitives, random: Random): RatchetContext {
  return { primitives, random, deriveRoot: olmRoot(primitives) }
}

function olmRoot(primitives: Primitives): RootDerivation {
  return (root, shared) => {
    const out = primitives.hkdfSha256(shared, root, RATCHET_INFO, 64)
    return { root: out.slice(0, 32), chain: out.slice(32), headerKey: NO_HEADER_KEY }
  }
}

/** The initiator's first state: it sends at once, under a ratchet key of its own. `shares` are the three outputs of 3DH. */
export function olmInitiator(primitives: Primitives, shares: readonly Uint8Array[], own: KeyPair): RatchetState {
  const { root, chain } = firstKeys(primitives, shares)
  const sending = { key: chain, headerKey: NO_HEADER_KEY, number: 0 }
  return { root, own, sending, previous: 0, remote: null, receiving: [] }
}

/** The responder's first state: it receives under the ratchet key of the first message. */
export function olmResponder(primitives: Primitives, shares: readonly Uint8Array[], remote: Uint8Array): RatchetState {
  const { root, chain } = firstKeys(primitives, shares)
  const receiving = [{ remote, key: chain, headerKey: NO_HEADER_KEY, number: 0, skipped: [] }]
  return { root, own: null, sending: null, previous: 0, remote, receiving }
}

function firstKeys(primitives: Primitives, shares: readonly Uint8Array[]): { readonly root: Uint8Array; readonly chain: Uint8Array } {
  const out = primitives.hkdfSha256(concat(...shares), NO_SALT, ROOT_INFO, 64)
  return { root: out.slice(0, 32), chain: out.slice(32) }
}

export function olmSeal(context: RatchetContext, state: RatchetState, plaintext: Uint8Array) {
  const step = ratchetSend(context, state)
  const { aesKey, macKey, iv } = messageKeys(context.primitives, step.messageKey)
  const { ratchetKey, number } = step.position
  const fields = new BinaryWriter()
  fields.tag(MESSAGE.ratchetKey, WireType.LengthDelimited).bytes(ratchetKey)
  fields.tag(MESSAGE.index, WireType.Varint).uint32(number)
  fields.tag(MESSAGE.ciphertext, WireType.LengthDelimited).bytes(cbc(aesKey, iv).encrypt(plaintext))
  const bare = concat(VERSION, fields.finish())
  return { state: step.state, message: concat(bare, mac(context.primitives, macKey, bare)) }
}

/** @throws SkeinError what the ratchet refuses; RangeError for a message of another form or a MAC that does not fit */
export function olmOpen(context: RatchetContext, state: RatchetState, message: Uint8Array) {
  const { ratchetKey, number, ciphertext } = readMessage(message)
  const position = { ratchetKey, number, previous: undefined }
  const step = ratchetReceive(context, state, { position, headerFits: () => true, now: 0 })
  const { aesKey, macKey, iv } = messageKeys(context.primitives, step.messageKey)
  const expected = mac(context.primitives, macKey, message.subarray(0, -MAC_BYTES))
  if (!sameBytes(expected, message.subarray(-MAC_BYTES))) throw new RangeError('the MAC does not fit')
  return { state: step.state, plaintext: cbc(aesKey, iv).decrypt(ciphertext) }
}

function messageKeys(primitives: Primitives, messageKey: Uint8Array) {
  const out = primitives.hkdfSha256(messageKey, NO_SALT, KEYS_INFO, 80)
  return { aesKey: out.slice(0, 32), macKey: out.slice(32, 64), iv: out.slice(64) }
}

function mac(primitives: Primitives, key: Uint8Array, bytes: Uint8Array): Uint8Array {
  return primitives.hmacSha256(key, bytes).slice(0, MAC_BYTES)
}

export function readMessage(message: Uint8Array) {
  const fields = readFields(message.subarray(0, -MAC_BYTES))
  return {
    ratchetKey: bytesOf(fields, MESSAGE.ratchetKey),
    number: numberOf(fields, MESSAGE.index),
    ciphertext: bytesOf(fields, MESSAGE.ciphertext),
  }
}

export function writePreKey({ oneTimeKey, baseKey, identityKey, message }: PreKeyFields): Uint8Array {
  const fields = new BinaryWriter()
  fields.tag(PRE_KEY.oneTimeKey, WireType.LengthDelimited).bytes(oneTimeKey)
  fields.tag(PRE_KEY.baseKey, WireType.LengthDelimited).bytes(baseKey)
  fields.tag(PRE_KEY.identityKey, WireType.LengthDelimited).bytes(identityKey)
  fields.tag(PRE_KEY.message, WireType.LengthDelimited).bytes(message)
  return concat(VERSION, fields.finish())
}

export function readPreKey(bytes: Uint8Array): PreKeyFields {
  const fields = readFields(bytes)
  return {
    oneTimeKey: bytesOf(fields, PRE_KEY.oneTimeKey),
    baseKey: bytesOf(fields, PRE_KEY.baseKey),
    identityKey: bytesOf(fields, PRE_KEY.identityKey),
    message: bytesOf(fields, PRE_KEY.message),
  }
}

type Fields = ReadonlyMap<number, Uint8Array | number>

function readFields(versioned: Uint8Array): Fields {
  if (versioned[0] !== VERSION[0]) throw new RangeError('another version of Olm')
  const reader = new BinaryReader(versioned.subarray(1))
  const fields = new Map<number, Uint8Array | number>()
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag()
    fields.set(field, type === WireType.Varint ? reader.uint32() : reader.bytes())
  }
  return fields
}

function bytesOf(fields: Fields, field: number): Uint8Array {
  const value = fields.get(field)
  if (value instanceof Uint8Array) return value
  throw new RangeError(`field ${field} of a message of Olm is missing`)
}

function numberOf(fields: Fields, field: number): number {
  const value = fields.get(field)
  if (typeof value === 'number') return value
  throw new RangeError(`field ${field} of a message of Olm is missing`)
}
