/** Finds a pair of endpoints between which UDP packets pass both ways, as two plans say; both sides run it at once. */
import type { Clock } from '@skein/core'
import type { Endpoint } from '../stun/index.ts'
import { MOST_ARREARS_MS, MOST_PROBES, OPENER_TTL, PROBE_EVERY_MS, REPEAT_EVERY_MS } from './constants.ts'
import type { PunchPlan } from './udp-plan.ts'
import type { PunchSocket } from './udx.ts'

/** What a packet says; its second part is the receiver's nonce, which nobody else has. */
const PROBE = 1
const SEEN = 2
const CHOSEN = 3
const AGREED = 4
/** Distinguishes ours from packets of UDX, which begin with 0xff, and of STUN, which begin with 0. */
const MAGIC = 0x5b

interface Pair {
  readonly socket: PunchSocket
  readonly to: Endpoint
}

export interface UdpPath extends Pair {
  /** Until this is called the other side is told that it is agreed whenever it asks once more: all that was said of it may get lost. */
  stop(): void
}

export interface PathSearch {
  readonly plan: PunchPlan
  /** As many as the plan wants; the first one is the one that STUN was asked from. */
  readonly sockets: readonly PunchSocket[]
  /** The proven address of the other side. */
  readonly host: string
  /** In packets to this side, and in packets to the other. */
  readonly ownNonce: Uint8Array
  readonly theirNonce: Uint8Array
  /** Whether this side decides which path is taken. */
  readonly decides: boolean
  readonly clock: Clock
  /** Ends the search. */
  readonly signal: AbortSignal
  /** Something came that belongs to no punch, or from elsewhere than the proven address. */
  onGarbage(): void
}

/** Of UDX, whose streams share the socket, and of STUN, whose answers may come late. */
const isBeneath = (bytes: Buffer): boolean => bytes[0] === 0xff || bytes[0] === 0 || bytes[0] === 1

/** What may come to a socket for a punch before its search has begun: the other side may have begun first. */
export const isExpected = (bytes: Buffer): boolean => isBeneath(bytes) || bytes[0] === MAGIC

/** `undefined` when there is none until `signal` aborts. Sends to no other host than the proven one. */
export async function findPath(search: PathSearch): Promise<UdpPath | undefined> {
  return new PathFinder(search).run()
}

class PathFinder {
  private readonly search: PathSearch
  private readonly done = new AbortController()
  private readonly signal: AbortSignal
  private candidate: Pair | undefined
  private path: Pair | undefined

  constructor(search: PathSearch) {
    this.search = search
    this.signal = AbortSignal.any([search.signal, this.done.signal])
  }

  async run(): Promise<UdpPath | undefined> {
    const { sockets, clock } = this.search
    const listening = sockets.map((socket) => ({
      socket,
      forget: socket.listen((bytes, from) => this.receive({ socket, to: from }, bytes)),
    }))
    await Promise.all([this.send(), this.insist()])
    const { path } = this
    // The other side may have missed that it is agreed.
    for (let again = 0; again < 3 && path !== undefined; again += 1) {
      this.say(path, this.search.decides ? CHOSEN : AGREED)
      await clock.sleep(PROBE_EVERY_MS)
    }
    for (const { socket, forget } of listening) if (socket !== path?.socket) forget()
    const stop = (): void => listening.find(({ socket }) => socket === path?.socket)?.forget()
    return path === undefined ? undefined : { ...path, stop }
  }

  private async send(): Promise<void> {
    const { kind } = this.search.plan
    if (kind === 'search') return this.probeInTurn()
    if (kind === 'lockstep') return this.probeInStep()
    return this.probeKnown()
  }

  /** One probe after the other, over and over, MOST_PROBES at most. */
  private async probeInTurn(): Promise<void> {
    const { plan, sockets, host, clock } = this.search
    const [socket] = sockets
    if (socket === undefined) return
    let due = clock.monotonic()
    let sent = 0
    for (let before = -1; sent > before; ) {
      before = sent
      for (const port of plan.ports()) {
        if (this.signal.aborted || sent >= MOST_PROBES) return
        this.say({ socket, to: { host, port } }, PROBE)
        sent += 1
        // A timer that load makes late is made up for, so that the rate is what it should be; a machine that has slept is not.
        due = Math.max(due + PROBE_EVERY_MS, clock.monotonic() - MOST_ARREARS_MS)
        const early = due - clock.monotonic()
        if (early > 0) await clock.sleep(early, { signal: this.signal })
      }
    }
  }

  /** The n-th socket to the n-th port: the n-th mapping here meets the n-th mapping there. */
  private async probeInStep(): Promise<void> {
    const { plan, sockets, host, clock } = this.search
    const pairs = [...plan.ports()].flatMap((port, at) => (sockets[at] === undefined ? [] : [{ socket: sockets[at], to: { host, port } }]))
    while (!this.signal.aborted) {
      for (const each of pairs) this.say(each, PROBE)
      await clock.sleep(REPEAT_EVERY_MS, { signal: this.signal })
    }
  }

  /** All mappings are opened by packets that do not arrive; one socket sends packets that do, for NATs that let everybody in. */
  private async probeKnown(): Promise<void> {
    const { plan, sockets, host, clock } = this.search
    const targets = [...plan.ports()].map((port) => ({ host, port }))
    const [first, ...others] = sockets
    for (const to of targets) for (const socket of others) this.say({ socket, to }, PROBE, OPENER_TTL)
    while (!this.signal.aborted && first !== undefined) {
      for (const to of targets) this.say({ socket: first, to }, PROBE)
      await clock.sleep(REPEAT_EVERY_MS, { signal: this.signal })
    }
  }

  /** Goes on about a path that was found until the other side has agreed to it. */
  private async insist(): Promise<void> {
    while (!this.signal.aborted) {
      if (this.candidate !== undefined) this.say(this.candidate, this.search.decides ? CHOSEN : SEEN)
      await this.search.clock.sleep(REPEAT_EVERY_MS / 4, { signal: this.signal })
    }
  }

  private receive(from: Pair, bytes: Buffer): void {
    const { ownNonce, host, decides } = this.search
    const isOurs = bytes[0] === MAGIC && bytes.length === 2 + ownNonce.length && bytes.subarray(2).equals(ownNonce)
    // Behind a carrier's NAT an address may change between two connections; proven is only the one that was.
    if (!isOurs || from.to.host !== host) {
      if (!isBeneath(bytes)) this.search.onGarbage()
      return
    }
    const kind = bytes[1]
    if (this.path !== undefined) {
      if (!decides && kind === CHOSEN) this.say(from, AGREED)
      return
    }
    if (kind === PROBE || kind === SEEN) {
      this.candidate ??= from
      this.say(this.candidate, decides ? CHOSEN : SEEN)
    }
    if (decides ? kind === AGREED : kind === CHOSEN) this.finish(from)
  }

  private finish(path: Pair): void {
    this.path = path
    if (!this.search.decides) this.say(path, AGREED)
    this.done.abort()
  }

  private say({ socket, to }: Pair, kind: number, ttl?: number): void {
    const { theirNonce } = this.search
    const packet = Buffer.alloc(2 + theirNonce.length)
    packet[0] = MAGIC
    packet[1] = kind
    packet.set(theirNonce, 2)
    socket.send(packet, to, ttl)
  }
}
