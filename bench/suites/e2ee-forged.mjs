// What a message costs us that does not open: one forger for each place where one can be refused, taken in turns.
import { decodeRatchetHeader, decodeSessionMessage, encodeRatchetHeader, encodeSessionMessage } from '@skein/core'
import { End, makeEnd } from '@skein/core/testing'
import { median } from './e2ee-median.mjs'
import { establishedPair, random } from './e2ee-ours.mjs'

const ROUNDS = 40
const WARM_UP = 10
const PLAINTEXT = random.bytes(256)
/** Keys that one message may skip: as far as a forger who holds the session can make us go. */
const FARTHEST = 1_000

function changed(message, change) {
  const parsed = decodeSessionMessage(message)
  const header = encodeRatchetHeader({ ...decodeRatchetHeader(parsed.header), ...change.header?.() })
  return encodeSessionMessage({ ...parsed, header, ...change.message?.() })
}

/** In a chain that `b` knows: one HMAC. */
function knownChain(primitives) {
  const [a, b] = establishedPair(primitives)
  b.open(a.seal(PLAINTEXT))
  const message = a.seal(PLAINTEXT)
  return () => [b, changed(message, { header: () => ({ number: 2 ** 32 - 1 }) })]
}

/** Under a new ratchet key, when `b` has sent last: a Diffie-Hellman. */
function newChain(primitives) {
  const [a, b] = establishedPair(primitives)
  a.open(b.seal(PLAINTEXT))
  const message = a.seal(PLAINTEXT)
  const key = () => primitives.x25519PublicKey(random.bytes(32))
  return () => [b, changed(message, { header: () => ({ ratchetKey: key() }) })]
}

/** A first flight under the victim's real prekey: it costs a whole PQXDH. */
function firstFlight(primitives) {
  const [ours, theirs] = [makeEnd(random, primitives), makeEnd(random, primitives)]
  const [a, b] = [new End(ours, theirs, { random, primitives }), new End(theirs, ours, { random, primitives })]
  const message = a.seal(PLAINTEXT)
  const { first } = decodeSessionMessage(message)
  const key = () => primitives.x25519PublicKey(random.bytes(32))
  return () => [b, changed(message, { message: () => ({ first: { ...first, ephemeralKey: key() } }) })]
}

/** By the contact itself, so not forged: the header is right, the ciphertext is not, and all keys up to it are derived. */
function skipping(primitives) {
  const [a, b] = establishedPair(primitives)
  for (let at = 0; at < FARTHEST; at += 1) a.seal(PLAINTEXT)
  const message = a.seal(PLAINTEXT)
  return () => [b, changed(message, { message: () => ({ ciphertext: random.bytes(272) }) })]
}

function cost(forge) {
  const [victim, message] = forge()
  const start = performance.now()
  try {
    victim.tryOpen(message)
  } catch {
    return performance.now() - start
  }
  throw new Error('a forged message opened')
}

/** Milliseconds until a message is refused: on average over the forged headers, and for the dearest that there is. */
export function forgedMs(primitives) {
  const kinds = [knownChain, newChain, firstFlight, skipping].map((forger) => forger(primitives))
  const costs = kinds.map(() => [])
  for (let round = 0; round < ROUNDS + WARM_UP; round += 1) {
    for (const [kind, forge] of kinds.entries()) {
      const spent = cost(forge)
      if (round >= WARM_UP) costs[kind].push(spent)
    }
  }
  const [known, fresh, flight, skipped] = costs.map(median)
  return { average: (known + fresh + flight) / 3, worst: Math.max(known, fresh, flight, skipped) }
}
