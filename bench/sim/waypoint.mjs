// Makes contact traces of which nothing was known when policies were made: nodes walk to places by chance and rest there, as those of the
// given traces C do (30 nodes, 2 km × 2 km, 60 m, 0.5 to 1.5 m/s, rests of up to two minutes, 12 hours, texts and files).
import { mkdirSync } from 'node:fs'
import { seededRandom } from '@skein/core/testing'
import { numberOf } from './number-of.mjs'
import { writeTrace } from './small-traces.mjs'

const SIDE_M = 2_000
const RANGE_M = 60
const SPEEDS = [0.5, 1.5]
const RESTS_S = [0, 120]
/** Walked before the trace begins. */
const WARM_UP_S = 1_000
const META = { duration_s: 43_200, radio_bps: 2_000_000, radio_range_m: RANGE_M, buffer_bytes: 20_000_000, ttl_s: 18_000 }
const KINDS = [
  { name: 't', bytes: 1_024, every: [20, 40] },
  { name: 'f', bytes: 1_000_000, every: [180, 300] },
]

export async function simulate({ out, nodes = '30', seed }) {
  if (out === undefined) throw new Error('sim waypoint needs --out DIR')
  const count = numberOf('--nodes', nodes, { least: 2, most: 1_000 })
  const random = seededRandom(numberOf('--seed', seed))
  const contacts = contactsOf(count, random)
  const messages = KINDS.flatMap((kind) => messagesOf(kind, count, random)).sort(([one], [other]) => one - other)
  mkdirSync(out, { recursive: true })
  writeTrace(out, { meta: { nodes: count, ...META }, contacts, messages })
  return { contacts: contacts.filter(([, , , state]) => state === 'up').length, messages: messages.length }
}

/** Looked at once a second. */
function contactsOf(count, random) {
  const walkers = Array.from({ length: count }, () => new Walker(random))
  const near = new Set()
  const rows = []
  for (let t = 0; t < META.duration_s; t += 1) {
    for (const walker of walkers) walker.go(t + WARM_UP_S)
    for (let a = 0; a < count; a += 1)
      for (let b = a + 1; b < count; b += 1) {
        const isNear = walkers[a].distance(walkers[b]) <= RANGE_M
        const pair = a * count + b
        if (isNear === near.has(pair)) continue
        near[isNear ? 'add' : 'delete'](pair)
        rows.push([t, a, b, isNear ? 'up' : 'down', META.radio_bps])
      }
  }
  return rows
}

function messagesOf({ name, bytes, every }, count, random) {
  const rows = []
  for (let t = Math.floor(between(every, random)); t < META.duration_s; t += Math.floor(between(every, random))) {
    const from = Math.floor(random.uniform() * count)
    rows.push([t, `${name}${rows.length + 1}`, from, (from + 1 + Math.floor(random.uniform() * (count - 1))) % count, bytes])
  }
  return rows
}

class Walker {
  constructor(random) {
    this.random = random
    this.leg = { from: this.place(), to: this.place(), start: 0, arrival: 0, end: 0 }
    this.at = this.leg.to
  }

  place() {
    return [0, 1].map(() => this.random.uniform() * SIDE_M)
  }

  go(t) {
    while (t >= this.leg.end) this.leg = this.next()
    const { from, to, start, arrival } = this.leg
    const share = Math.min(1, (t - start) / (arrival - start))
    this.at = from.map((value, axis) => value + (to[axis] - value) * share)
  }

  next() {
    const { to: from, end: start } = this.leg
    const to = this.place()
    const arrival = start + Math.hypot(to[0] - from[0], to[1] - from[1]) / between(SPEEDS, this.random)
    return { from, to, start, arrival, end: arrival + between(RESTS_S, this.random) }
  }

  distance({ at }) {
    return Math.hypot(this.at[0] - at[0], this.at[1] - at[1])
  }
}

function between([least, most], random) {
  return least + random.uniform() * (most - least)
}
