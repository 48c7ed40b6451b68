// Everything about one backend. Figures are medians of several rounds, ours and Olm's taken in turns.
import { parentPort, workerData } from 'node:worker_threads'
import { noblePrimitives } from '@skein/core'
import { measureEnvelope, overheadBytes } from './e2ee-envelope.mjs'
import { forgedMs } from './e2ee-forged.mjs'
import { median, rounded } from './e2ee-median.mjs'
import { olmOneWay } from './e2ee-olm.mjs'
import { oursOneWay, oursPingPong, pqxdhMs } from './e2ee-ours.mjs'

const ROUNDS = 9
const WARM_UP_ROUNDS = 3
const MESSAGES = 4_000
const PING_PONGS = 100

async function primitivesOf(backend) {
  if (backend === 'pure') return noblePrimitives
  // Not among the exports of the node package: whoever uses it gets them with a client.
  const { nativePrimitives } = await import(new URL('../../packages/node/dist/platform/primitives.js', import.meta.url))
  return nativePrimitives
}

/** A round is short, so that a busy machine is equally unfair to both sides of a ratio. */
async function measureRates(primitives) {
  const [olm, oneWay, pingPong] = [await olmOneWay(), oursOneWay(primitives), oursPingPong(primitives)]
  const rounds = Array.from({ length: WARM_UP_ROUNDS + ROUNDS }, () => ({
    olm: olm(MESSAGES),
    ours: oneWay(MESSAGES),
    pingPong: pingPong(PING_PONGS),
  })).slice(WARM_UP_ROUNDS)
  return {
    oneway_per_s: Math.round(median(rounds.map(({ ours }) => ours))),
    pingpong_per_s: Math.round(median(rounds.map(({ pingPong: rate }) => rate))),
    oneway_vs_olm: rounded(median(rounds.map(({ ours, olm: theirs }) => ours / theirs))),
  }
}

const primitives = await primitivesOf(workerData.backend)
const rates = await measureRates(primitives)
const { sealMs, openMs } = await measureEnvelope(primitives)
const forged = forgedMs(primitives)
parentPort.postMessage({
  ...rates,
  pqxdh_ms: rounded(pqxdhMs(primitives)),
  envelope_seal_ms: rounded(sealMs),
  envelope_open_ms: rounded(openMs),
  envelope_overhead_bytes: await overheadBytes(primitives),
  forged_header_ms: rounded(forged.average),
  forged_header_worst_ms: rounded(forged.worst),
})
