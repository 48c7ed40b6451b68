// Sessions between two devices, with the encoding of messages, without compression and store.
import { End, makeEnd, makePair } from '@skein/core/testing'
import { median, rate } from './e2ee-median.mjs'

const SIZE = 256
const FIRST_FLIGHTS = 25
const WARM_UP = 5

/** What a device uses; not among the exports of the node package, as whoever uses it gets it with a client. */
export const { systemRandom: random } = await import(new URL('../../packages/node/dist/platform/system.js', import.meta.url))

/** Two ends that have heard from each other. */
export function establishedPair(primitives) {
  const [a, b] = makePair(random, primitives)
  b.open(a.seal(random.bytes(1)))
  a.open(b.seal(random.bytes(1)))
  return [a, b]
}

function exchange(from, to, plaintext) {
  const opened = to.open(from.seal(plaintext))
  if (opened.length !== plaintext.length) throw new Error('a message opened as another one')
}

export function oursOneWay(primitives) {
  const [a, b] = establishedPair(primitives)
  const plaintext = random.bytes(SIZE)
  return (count) => rate(count, () => exchange(a, b, plaintext))
}

/** Messages per second when the ends take turns: each turns the ratchet. */
export function oursPingPong(primitives) {
  const [a, b] = establishedPair(primitives)
  const plaintext = random.bytes(SIZE)
  return (count) => rate(count, (at) => (at % 2 === 0 ? exchange(a, b, plaintext) : exchange(b, a, plaintext)))
}

/** The first message of a session, both sides together; keys and prekeys exist already. */
export function pqxdhMs(primitives) {
  const [ours, theirs] = [makeEnd(random, primitives), makeEnd(random, primitives)]
  const plaintext = random.bytes(SIZE)
  const times = Array.from({ length: FIRST_FLIGHTS + WARM_UP }, () => {
    const [a, b] = [new End(ours, theirs, { random, primitives }), new End(theirs, ours, { random, primitives })]
    const start = performance.now()
    exchange(a, b, plaintext)
    return performance.now() - start
  })
  return median(times.slice(WARM_UP))
}
