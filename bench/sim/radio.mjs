// The radios of a trace: which links are up, who is busy, when a transfer ends. One transfer per node at a time, sending or
// receiving, over all its links; control bytes queue up on a link and delay the next transfer over it.
import { TICKS_PER_S } from './trace.mjs'

export class Radio {
  links = new Map()
  busy = new Map()
  controlBytes = 0
  bytesOnAir = 0

  constructor(nodes) {
    this.linksOf = Array.from({ length: nodes }, () => new Map())
  }

  up({ a, b, bps }) {
    const link = { id: `${a}-${b}-${bps}`, a, b, bps, owed: 0, transfer: undefined }
    this.links.set(link.id, link)
    this.linksOf[a].set(link.id, link)
    this.linksOf[b].set(link.id, link)
    return link
  }

  find({ a, b, bps }) {
    return this.links.get(`${a}-${b}-${bps}`)
  }

  down(link) {
    this.links.delete(link.id)
    this.linksOf[link.a].delete(link.id)
    this.linksOf[link.b].delete(link.id)
  }

  /** Control frames share the link with the transfers. */
  control(link, bytes) {
    link.owed += bytes
    this.controlBytes += bytes
    this.bytesOnAir += bytes
  }

  isBusy(node) {
    return this.busy.has(node)
  }

  /** Ids of the links of `node` whose other end is free, in order of establishment. */
  freeLinks(node) {
    const free = []
    for (const link of this.linksOf[node].values()) if (!this.isBusy(other(link, node))) free.push(link.id)
    return free
  }

  /** Begins a transfer; it ends at `tick + max(1, ceil(seconds * 10))`. */
  begin(link, sender, { bundle, bytes, tick }) {
    const end = tick + Math.max(1, Math.ceil(((bytes + link.owed) / link.bps) * TICKS_PER_S - 1e-9))
    const transfer = { link, sender, receiver: other(link, sender), bundle, bytes, owed: link.owed, start: tick, end }
    link.owed = 0
    link.transfer = transfer
    this.busy.set(sender, transfer)
    this.busy.set(transfer.receiver, transfer)
    return transfer
  }

  /** Frees both ends; returns how many bytes of the bundle have got across by `tick`. */
  end(transfer, tick) {
    this.busy.delete(transfer.sender)
    this.busy.delete(transfer.receiver)
    transfer.link.transfer = undefined
    const sent = ((tick - transfer.start) / TICKS_PER_S) * transfer.link.bps - transfer.owed
    const across = transfer.end <= tick ? transfer.bytes : Math.max(0, Math.min(transfer.bytes, Math.floor(sent)))
    this.bytesOnAir += across
    return across
  }
}

export const other = (link, node) => (link.a === node ? link.b : link.a)
