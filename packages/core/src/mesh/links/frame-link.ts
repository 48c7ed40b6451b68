/** Whole frames over links with small packets that lose some of them. */
import { isSkeinError, SkeinError } from '../../errors/index.ts'
import type { Clock } from '../../ports/index.ts'
import {
  decodeLinkPacket,
  encodeLinkPacket,
  FRAGMENT_OVERHEAD_BYTES,
  type LinkPacketFields,
  MAX_FRAGMENTS,
} from '../../wire/mesh-packet.ts'
import { Assembler } from './assembly.ts'
import type { Link } from './link.ts'

/** Tries without progress before a frame is given up, and times that each fragment is sent on average (ME16). */
const MOST_TRIES = 10
/** Shortest wait, in milliseconds, on top of what two packets take. */
const PATIENCE_MS = 200

interface Sending {
  readonly frame: number
  readonly parts: readonly Uint8Array[]
  /** What the other side last said is missing. */
  missing: readonly number[]
  /** Ends the present wait. */
  heard: AbortController
}

export class FrameLink {
  private readonly link: Link
  private readonly clock: Clock
  private readonly assembler = new Assembler()
  private sending: Sending | undefined
  private readonly abandoned: () => void
  private count = 0
  private turn: Promise<unknown> = Promise.resolve()

  /** @param abandoned a frame was begun over a reliable link and never ended */
  constructor(link: Link, clock: Clock, abandoned: () => void = () => undefined) {
    this.abandoned = abandoned
    this.link = link
    this.clock = clock
  }

  /**
   * Resolves `true` when the frame has arrived whole, or a reliable link has taken it; `false` when the link is gone or nothing comes back.
   * One frame at a time; further ones wait. @throws SkeinError FRAME_TOO_LARGE
   */
  send(frame: Uint8Array): Promise<boolean> {
    const parts = this.split(frame)
    const sent = this.turn.then(() => (this.link.isReliable ? this.pour(parts) : this.deliver(parts)))
    this.turn = sent.catch(() => undefined)
    return sent
  }

  /** Whole frames as they arrive. At most one consumer; nothing is answered unless it reads. */
  async *frames(): AsyncIterable<Uint8Array> {
    for await (const packet of this.link.packets()) {
      const parsed = read(packet)
      if (parsed?.kind === 'status') this.status(parsed)
      if (parsed?.kind !== 'fragment') continue
      const before = this.assembler.abandoned
      const whole = this.assembler.add(parsed, this.clock.monotonic())
      if (this.assembler.abandoned > before && this.link.isReliable) this.abandoned()
      if (!this.link.isReliable && (whole !== undefined || parsed.index === parsed.count - 1)) await this.report(parsed)
      if (whole !== undefined) yield whole
    }
    this.sending?.heard.abort()
  }

  close(): void {
    this.link.close()
    this.sending?.heard.abort()
  }

  private split(frame: Uint8Array): Uint8Array[] {
    const size = this.link.mtu - FRAGMENT_OVERHEAD_BYTES
    const count = Math.max(1, Math.ceil(frame.length / size))
    if (count > MAX_FRAGMENTS) throw new SkeinError('FRAME_TOO_LARGE', 'This is too large for the link.', { data: { bytes: frame.length } })
    return Array.from({ length: count }, (_, at) => frame.subarray(at * size, (at + 1) * size))
  }

  /** All fragments, one after the other; what is poured into a reliable link arrives. */
  private async pour(parts: readonly Uint8Array[]): Promise<boolean> {
    this.count += 1
    const frame = this.count
    for (const [index, part] of parts.entries())
      if (!(await this.link.send(encodeLinkPacket({ kind: 'fragment', frame, index, count: parts.length, part })))) return false
    return true
  }

  private async deliver(parts: readonly Uint8Array[]): Promise<boolean> {
    this.count += 1
    const sending: Sending = { frame: this.count, parts, missing: [...parts.keys()], heard: new AbortController() }
    this.sending = sending
    let budget = MOST_TRIES * (parts.length + 1)
    for (let tries = 0; tries < MOST_TRIES && budget > 0; ) {
      const wanted = sending.missing
      budget -= wanted.length
      if (!(await this.transmit(sending, wanted))) return false
      if (!sending.heard.signal.aborted) await this.clock.sleep(this.patience(), { signal: sending.heard.signal })
      if (sending.missing.length === 0) return true
      // Word that others are missing than before is progress; the same word again, or none, is a try.
      tries = sending.heard.signal.aborted && String(sending.missing) !== String(wanted) ? 0 : tries + 1
      if (!sending.heard.signal.aborted) sending.missing = [parts.length - 1]
      sending.heard = new AbortController()
    }
    return false
  }

  /** Sends fragments, the last one always: it asks for word. */
  private async transmit({ frame, parts }: Sending, wanted: readonly number[]): Promise<boolean> {
    const last = parts.length - 1
    for (const index of wanted.includes(last) ? wanted : [...wanted, last]) {
      const part = parts[index]
      if (part === undefined) continue
      if (!(await this.link.send(encodeLinkPacket({ kind: 'fragment', frame, index, count: parts.length, part })))) return false
    }
    return true
  }

  private patience(): number {
    return PATIENCE_MS + (4 * this.link.mtu * 1_000) / this.link.bandwidth
  }

  private status({ frame, missing }: Extract<LinkPacketFields, { kind: 'status' }>): void {
    if (this.sending?.frame !== frame) return
    this.sending.missing = missing
    this.sending.heard.abort()
  }

  private async report({ frame, count }: Extract<LinkPacketFields, { kind: 'fragment' }>): Promise<void> {
    await this.link.send(encodeLinkPacket({ kind: 'status', frame, missing: this.assembler.missing(frame, count) }))
  }
}

/** A packet that does not parse is as good as lost. */
function read(packet: Uint8Array): LinkPacketFields | undefined {
  try {
    return decodeLinkPacket(packet)
  } catch (error) {
    if (isSkeinError(error)) return undefined
    throw error
  }
}
