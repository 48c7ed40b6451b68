// Both clients write to each other all the time, through `skein chat`, while something happens to the network; afterwards
// both histories say what was lost, what came twice, and how long nothing came.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from './programs.mjs'

/** Between two messages of one side. */
export const EVERY_MS = 400
/** What is still on its way when the conversation ends must be there by then. */
const DRAIN_WITHIN_MS = 60_000
/** The chat has read all that was written to it. */
const CHAT_ENDS_WITHIN_MS = 30_000

/** One side that writes. */
class Writer {
  #chat
  #timer
  /** Texts, no two alike. */
  written = []

  constructor(self, other) {
    this.self = self
    this.other = other
  }

  start() {
    this.#chat = this.self.stay(['chat', this.other.account])
    this.#chat.stdin.on('error', () => undefined)
    this.resume()
  }

  resume() {
    this.#timer = setInterval(() => {
      const text = `${this.self.box} ${this.written.length + 1}`
      this.written.push(text)
      this.#chat.stdin.write(`${text}\n`)
    }, EVERY_MS)
  }

  pause() {
    clearInterval(this.#timer)
  }

  async stop() {
    this.pause()
    const ended = once(this.#chat, 'exit')
    this.#chat.stdin.end()
    await Promise.race([ended, sleep(CHAT_ENDS_WITHIN_MS, undefined, { ref: false })])
    this.#chat.kill('SIGKILL')
  }
}

export class Conversation {
  #sides

  /** @param lab of two clients that are contacts and running */
  constructor({ a, b }) {
    this.#sides = [new Writer(a, b), new Writer(b, a)]
  }

  /** Resolves when each side has received something. */
  async start() {
    for (const side of this.#sides) side.start()
    await eventually('the conversation flows', () => this.#hasArrivedSince(0), DRAIN_WITHIN_MS)
  }

  /** One side stops writing, or goes on. */
  side(name) {
    return this.#sides.find(({ self }) => self.box === name)
  }

  /** Milliseconds from `instant` until each side has received something; `undefined` if not `within`. */
  async healedAfter(instant, within) {
    const done = await eventually('healed', () => this.#hasArrivedSince(instant), within).then(
      () => true,
      () => false,
    )
    if (!done) return undefined
    const firsts = await Promise.all(this.#sides.map(async (side) => (await arrivals(side)).find((at) => at >= instant)))
    return Math.max(...firsts) - instant
  }

  async #hasArrivedSince(instant) {
    for (const side of this.#sides) if (!((await arrivals(side)).at(-1) >= instant)) return false
    return true
  }

  /** Ends it and counts. @returns {{ written, sent, delivered, lost, doubled, longest_gap_ms }} */
  async finish() {
    await Promise.all(this.#sides.map((side) => side.stop()))
    await eventually('everything is delivered', () => this.#isDrained(), DRAIN_WITHIN_MS).catch(() => undefined)
    const counts = await Promise.all(this.#sides.map(countOneWay))
    const sum = (key) => counts.reduce((total, each) => total + each[key], 0)
    return {
      written: this.#sides.reduce((total, { written }) => total + written.length, 0),
      sent: sum('sent'),
      delivered: sum('delivered'),
      lost: sum('lost'),
      doubled: sum('doubled'),
      longest_gap_ms: Math.max(...counts.map(({ gap }) => gap)),
    }
  }

  async #isDrained() {
    const counts = await Promise.all(this.#sides.map(countOneWay))
    return counts.every(({ lost }) => lost === 0)
  }
}

const incoming = async ({ self, other }) => (await other.messages(self)).filter(({ direction }) => direction === 'in')

/** When what `self` wrote arrived, in order. */
const arrivals = async (side) => inOrder(await incoming(side))

async function countOneWay(side) {
  const sent = (await side.self.messages(side.other)).filter(({ direction }) => direction === 'out')
  return compare({ written: side.written, sent, received: await incoming(side) })
}

/**
 * What was written beside what both histories have. An id cannot come twice, it is the key of a history: a text can.
 * @param {{ written: string[], sent: { id: string, text: string }[], received: { id: string, text: string, received_at: number }[] }} told
 * @returns `gap`: longest time between two arrivals, milliseconds
 */
export function compare({ written, sent, received }) {
  const wanted = new Set(written)
  const arrived = received.filter(({ text }) => wanted.has(text))
  const [ids, texts] = [new Set(arrived.map(({ id }) => id)), new Set(arrived.map(({ text }) => text))]
  const instants = inOrder(arrived)
  return {
    sent: sent.filter(({ text }) => wanted.has(text)).length,
    delivered: sent.filter(({ id }) => ids.has(id)).length,
    lost: wanted.size - texts.size,
    doubled: arrived.length - texts.size,
    gap: Math.max(0, ...instants.slice(1).map((at, before) => at - instants[before])),
  }
}

const inOrder = (received) => received.map(({ received_at }) => received_at).sort((left, right) => left - right)
