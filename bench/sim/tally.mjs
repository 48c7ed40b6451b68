// Counts what the references count.
import { TICKS_PER_S } from './trace.mjs'

export class Tally {
  messages = new Map()
  relays = 0

  created(key, message) {
    this.messages.set(key, message)
  }

  relayed() {
    this.relays += 1
  }

  /** Returns the cure key that the recipient finds when it opens the bundle. */
  delivered(key, { at, hops }) {
    const message = this.messages.get(key)
    message.latency ??= (at - message.at) / TICKS_PER_S
    message.hops ??= hops
    return message.cureKey
  }

  /** Figures as the reference routers print them. */
  figures() {
    const arrived = [...this.messages.values()].filter(({ latency }) => latency !== undefined)
    const latencies = arrived.map(({ latency }) => latency).sort((a, b) => a - b)
    return {
      delivery_ratio: round(arrived.length / this.messages.size, 4),
      overhead_ratio: round((this.relays - arrived.length) / arrived.length, 3),
      latency_avg_s: round(mean(latencies), 1),
      latency_p50_s: latencies[Math.floor(latencies.length / 2)] ?? null,
      hops_avg: round(mean(arrived.map(({ hops }) => hops)), 3),
    }
  }
}

const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length
const round = (value, digits) => (Number.isFinite(value) ? Number(value.toFixed(digits)) : null)
