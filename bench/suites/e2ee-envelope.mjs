// The envelope around a session message: time for 512 bytes as they are sent, bytes without the padding.
import { encodeEnvelope, encodeEnvelopeContent, encodePayload, openEnvelope, sealEnvelope } from '@skein/core'
import { medianMs } from './e2ee-median.mjs'
import { establishedPair, random } from './e2ee-ours.mjs'

const CONTENT_SIZE = 512
const TEXT_SIZE = 100
const REPEATS = 60
const NOW = Date.UTC(2026, 0, 1)
const NOTHING = new Uint8Array()

function addressTo(primitives, secret) {
  return { deliveryTag: random.bytes(16), expiryHour: NOW / 3_600_000 + 720, prekeyId: 7, prekey: primitives.x25519PublicKey(secret) }
}

/** A content that is one byte short of a size class: the least padding there is. */
function contentOf(size) {
  const field = encodeEnvelopeContent({ message: new Uint8Array(size), sender: NOTHING }).length - size
  return { message: random.bytes(size - 1 - field), sender: NOTHING }
}

export async function measureEnvelope(primitives) {
  const secret = random.bytes(32)
  const address = addressTo(primitives, secret)
  const content = contentOf(CONTENT_SIZE)
  const sealed = await sealEnvelope(primitives, address, content)
  const opening = { secretOf: () => secret, now: NOW }
  return {
    sealMs: await medianMs(REPEATS, () => sealEnvelope(primitives, address, content)),
    openMs: await medianMs(REPEATS, () => openEnvelope(primitives, sealed, opening)),
  }
}

/** Bytes that ratchet and envelope add to a text on a session in which some hundred messages have passed each way. */
export async function overheadBytes(primitives) {
  const [a, b] = establishedPair(primitives)
  const plaintext = encodePayload({ kind: 'plain', bytes: random.bytes(TEXT_SIZE) })
  for (let at = 0; at < 200; at += 1) b.open(a.seal(plaintext))
  const { prekey, ...outside } = addressTo(primitives, random.bytes(32))
  const content = encodeEnvelopeContent({ message: a.seal(plaintext), sender: NOTHING })
  const sealed = await primitives.hpkeSeal(prekey, content, { info: NOTHING, associated: NOTHING })
  return encodeEnvelope({ ...outside, sealed }).length - TEXT_SIZE
}
