// The test vectors of RFC 9180: sealing with the ephemeral key of the vector, and opening with the recipient's.
import { hpkeSuite } from '../packages/core/dist/e2ee/hpke.js'

/** Vectors count to 256; a file that jumps further is not worth the walk. */
const MAX_SEQUENCE = 1_000
const SUITE = { mode: 0, kem_id: 0x0020, kdf_id: 0x0001, aead_id: 0x0003 }
const EMPTY = new Uint8Array()

const bytes = (text) => new Uint8Array(Buffer.from(text, 'hex'))
const same = (a, b) => a !== null && Buffer.compare(a, b) === 0

/** Both ends of a vector's context on one backend; the sender's end needs the vector's ephemeral secret. */
async function contexts(primitives, { info, skRm, skEm, pkRm, enc }) {
  const suite = hpkeSuite({ ...primitives, freshSecret: () => bytes(skEm) })
  const recipient = await suite.SetupRecipient(await suite.DeserializePrivateKey(bytes(skRm)), bytes(enc), { info: bytes(info) })
  const { encapsulatedSecret, ctx } = await suite.SetupSender(await suite.DeserializePublicKey(bytes(pkRm)), { info: bytes(info) })
  return { encapsulatedSecret, sender: ctx, recipient }
}

function sequenceOf({ base_nonce: base }, { nonce }, position) {
  if (base === undefined || nonce === undefined) return position
  return Number(BigInt(`0x${base}`) ^ BigInt(`0x${nonce}`))
}

/** The façade is single-shot; later messages of a context go through the suite that it is built on. */
async function check(primitives, vector, { aad, ct, pt, sequence }) {
  const { encapsulatedSecret, sender, recipient } = await contexts(primitives, vector)
  if (!same(encapsulatedSecret, bytes(vector.enc))) return 'another encapsulated key'
  // A context counts its messages: the ones in between are passed over by sending them.
  for (let passed = 0; passed < sequence; passed += 1) await recipient.Open(await sender.Seal(EMPTY))
  if (!same(await sender.Seal(bytes(pt), bytes(aad)), bytes(ct))) return 'another ciphertext'
  if (!same(await recipient.Open(bytes(ct), bytes(aad)), bytes(pt))) return 'another plaintext'
  if (sequence > 0) return undefined
  const context = { info: bytes(vector.info), associated: bytes(aad) }
  const opened = await primitives.hpkeOpen(bytes(vector.skRm), bytes(vector.enc + ct), context)
  return same(opened, bytes(pt)) ? undefined : 'the façade opened something else'
}

function encryptions(vector, index) {
  if (vector.encryptions === undefined) return [{ id: index, skip: 'HPKE vector without encryptions' }]
  return vector.encryptions.map((encryption, position) => {
    const sequence = sequenceOf(vector, encryption, position)
    const id = `${index}/${sequence}`
    if (sequence > MAX_SEQUENCE) return { id, skip: `sequence numbers beyond ${MAX_SEQUENCE}` }
    return { id, check: (primitives) => check(primitives, vector, { ...encryption, sequence }) }
  })
}

export function isHpke(document) {
  return Array.isArray(document) && document.length > 0 && document.every((vector) => typeof vector?.kem_id === 'number')
}

export function hpkeCases(document) {
  return document.flatMap((vector, index) => {
    const { mode, kem_id: kem, kdf_id: kdf, aead_id: aead } = vector
    const ours = Object.entries(SUITE).every(([name, value]) => vector[name] === value)
    const exports = (vector.exports ?? []).map(() => ({ id: index, skip: 'HPKE secrets for export: the primitives do not offer them' }))
    if (ours) return [...encryptions(vector, index), ...exports]
    const skip = mode === 0 ? `HPKE suite ${[kem, kdf, aead].join(', ')}` : `HPKE mode ${mode}`
    return [...(vector.encryptions ?? [vector]), ...exports].map(() => ({ id: index, skip }))
  })
}
