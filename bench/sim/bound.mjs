// What is possible on a trace at all: the delivery of policies that know no carrier to be better than another, with everything else in
// their favour. Transfers take no time, buffers have no end, all know at once how many copies there are and that one has arrived.
// A holder hands on a copy while there are fewer than `copies`. With as many copies as nodes it is the earliest arrival of all.
import { numberOf } from './number-of.mjs'
import { readTrace, TICKS_PER_S } from './trace.mjs'

export async function simulate({ trace, copies }) {
  if (trace === undefined) throw new Error('sim bound needs --trace DIR')
  const read = readTrace(trace)
  const most = numberOf('--copies', copies ?? read.meta.nodes, { least: 1 })
  return { copies: most, ...new Bound(read, most).run() }
}

class Bound {
  #trace
  #most
  #near
  #life
  #waiting = new Set()
  #counts = { delivered: 0, relays: 0, ticks: 0 }

  constructor(trace, most) {
    this.#trace = trace
    this.#most = most
    this.#near = Array.from({ length: trace.meta.nodes }, () => new Map())
    // Relaying stops a minute before the end of life.
    this.#life = (trace.meta.ttl_s - 60) * TICKS_PER_S
  }

  run() {
    const { contacts, messages } = this.#trace
    let made = 0
    for (const contact of contacts) {
      for (; messages[made]?.tick <= contact.tick; made += 1) this.#make(messages[made])
      this.#change(contact)
    }
    const { delivered, relays, ticks } = this.#counts
    return {
      delivery_ratio: Number((delivered / messages.length).toFixed(4)),
      overhead_ratio: Number(((relays - delivered) / delivered).toFixed(3)),
      latency_avg_s: Number((ticks / delivered / TICKS_PER_S).toFixed(1)),
    }
  }

  #make(message) {
    const waiting = { ...message, holders: new Set([message.from]) }
    this.#waiting.add(waiting)
    this.#spread(waiting, [message.from], message.tick)
  }

  #change({ tick, a, b, up }) {
    this.#link(a, b, up)
    this.#link(b, a, up)
    if (!up) return
    for (const message of this.#waiting) {
      if (tick - message.tick > this.#life) this.#waiting.delete(message)
      else
        this.#spread(
          message,
          [a, b].filter((node) => message.holders.has(node)),
          tick,
        )
    }
  }

  /** Two may be linked by two radios at once. */
  #link(node, other, up) {
    const near = this.#near[node]
    const links = (near.get(other) ?? 0) + (up ? 1 : -1)
    if (links > 0) near.set(other, links)
    else near.delete(other)
  }

  #spread(message, from, tick) {
    for (let at = 0; at < from.length; at += 1) {
      const near = this.#near[from[at]]
      if (near.has(message.to)) return this.#deliver(message, tick)
      for (const node of near.keys()) {
        if (message.holders.has(node) || message.holders.size >= this.#most) continue
        message.holders.add(node)
        from.push(node)
        this.#counts.relays += 1
      }
    }
  }

  #deliver(message, tick) {
    this.#waiting.delete(message)
    this.#counts.delivered += 1
    this.#counts.relays += 1
    this.#counts.ticks += tick - message.tick
  }
}
