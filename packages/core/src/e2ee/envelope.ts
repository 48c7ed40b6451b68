/**
 * The sealed envelope for mailbox and mesh (EE1 to EE7): all that a carrier sees is version, delivery tag, expiry hour,
 * prekey id and ciphertext of a few sizes. HPKE base mode (RFC 9180) to the recipient's rotating signed prekey; who sent
 * it stands inside. On a stream that ends at the recipient's device the session message travels without it.
 */
import { SkeinError } from '../errors/index.ts'
import type { Primitives } from '../ports/primitives.ts'
import { decodeEnvelope, decodeEnvelopeContent, encodeEnvelope, encodeEnvelopeContent, type EnvelopeContentFields } from '../wire/sealed.ts'
import { concat } from './key-derivation.ts'

/** Sizes of a sealed content before HPKE (EE4): two messages in one class look alike. */
export const PADDED_SIZES = [256, 512, 1_024, 2_048, 4_096, 16_384, 65_536 - 256] as const
const INFO = new TextEncoder().encode('skein envelope v1')
const MS_PER_HOUR = 3_600_000

export interface EnvelopeAddress {
  /** 16 bytes. */
  readonly deliveryTag: Uint8Array
  readonly expiryHour: number
  readonly prekeyId: number
  /** X25519 public key that `prekeyId` names, 32 bytes. */
  readonly prekey: Uint8Array
}

function associated({ deliveryTag, expiryHour, prekeyId }: Omit<EnvelopeAddress, 'prekey'>): Uint8Array {
  const numbers = new Uint8Array(5)
  new DataView(numbers.buffer).setUint32(0, expiryHour)
  numbers[4] = prekeyId
  return concat(deliveryTag, numbers)
}

/** ISO/IEC 7816-4: this byte, then zeros, so that every length of a class can be reached. */
const PADDING_BEGINS = 0x80

/** The content with padding, of exactly one of the sizes. @throws SkeinError MESSAGE_TOO_LARGE */
export function padContent(content: EnvelopeContentFields): Uint8Array {
  const bare = encodeEnvelopeContent(content)
  const size = PADDED_SIZES.find((each) => each > bare.length)
  if (size === undefined) throw new SkeinError('MESSAGE_TOO_LARGE', 'A message is too large for an envelope.')
  const padded = new Uint8Array(size)
  padded.set(bare)
  padded[bare.length] = PADDING_BEGINS
  return padded
}

/** @throws SkeinError BAD_FRAME */
function withoutPadding(padded: Uint8Array): Uint8Array {
  const end = padded.findLastIndex((byte) => byte !== 0)
  if (padded[end] !== PADDING_BEGINS) throw new SkeinError('BAD_FRAME', 'The content of an envelope is not padded.')
  return padded.subarray(0, end)
}

/** @throws SkeinError MESSAGE_TOO_LARGE */
export async function sealEnvelope(primitives: Primitives, address: EnvelopeAddress, content: EnvelopeContentFields): Promise<Uint8Array> {
  const sealed = await primitives.hpkeSeal(address.prekey, padContent(content), { info: INFO, associated: associated(address) })
  const { deliveryTag, expiryHour, prekeyId } = address
  return encodeEnvelope({ deliveryTag, expiryHour, prekeyId, sealed })
}

/** Private half of the signed prekey with this id; `undefined` when it is gone. */
export type PrekeySecretLookup = (prekeyId: number) => Uint8Array | undefined

/** @throws SkeinError BAD_FRAME, ENVELOPE_EXPIRED, PREKEY_UNKNOWN, SEAL_BROKEN */
export async function openEnvelope(
  primitives: Primitives,
  bytes: Uint8Array,
  { secretOf, now }: { secretOf: PrekeySecretLookup; now: number },
): Promise<EnvelopeContentFields> {
  const envelope = decodeEnvelope(bytes)
  if (envelope.expiryHour * MS_PER_HOUR < now) throw new SkeinError('ENVELOPE_EXPIRED', 'An envelope is past its expiry.')
  const secret = secretOf(envelope.prekeyId)
  if (secret === undefined) throw new SkeinError('PREKEY_UNKNOWN', 'An envelope is sealed to a key that is gone.')
  const content = await primitives.hpkeOpen(secret, envelope.sealed, { info: INFO, associated: associated(envelope) })
  if (content === null) throw new SkeinError('SEAL_BROKEN', 'An envelope does not open.')
  return decodeEnvelopeContent(withoutPadding(content))
}
