/**
 * Raw connections between devices: agreed on over an authenticated channel, then opened without a relay where one of the
 * two has dialled the other by TCP, or may do so, or else over a relay that both are connected to.
 */
import type { Socket } from 'node:net'
import {
  type BulkAnswerFrame,
  type BulkOfferFrame,
  type BulkSecret,
  BULK_KEY_BYTES,
  BULK_TICKET_BYTES,
  type Channel,
  decodeBulkAnswer,
  decodeBulkOffer,
  decodeSpliceReply,
  type DeviceId,
  encodeBulkAnswer,
  encodeBulkOffer,
  encodeSpliceRequest,
  type Logger,
  type OpenOutcome,
  type ProtocolId,
  type Random,
} from '@skein/core'
import { orAborted } from '../swarm/abandon.ts'
import { exchange } from '../swarm/exchange.ts'
import { type BulkConnection, SocketBulkConnection } from './bulk-connection.ts'
import type { RawSocket } from './byte-reader.ts'
import { AWAIT_WITHIN_MS, BULK_PROTOCOL, OPENING_WITHIN_MS, TICKET_AGE_MS, SPLICE_PROTOCOL } from './constants.ts'
import { demandProof, proveTo } from './opening.ts'
import { dialFirst } from './dial.ts'
import type { Endpoint } from './endpoint.ts'
import { Tickets } from './tickets.ts'

/** How two devices are connected by TCP without a relay or a hole. */
export interface DirectPaths {
  /** Where this device has dialled the other. */
  readonly dialled: readonly Endpoint[]
  /** Whether the other has dialled this one. */
  readonly wasDialled: boolean
  /** Where the other says that it listens, of a device that is reached without a relay and not by TCP. */
  readonly known: readonly Endpoint[]
}

export interface RelayPath {
  readonly device: DeviceId
  /** Where the relay takes raw connections. */
  readonly endpoints: readonly Endpoint[]
}

export interface BulkDeps {
  readonly logger: Logger
  readonly random: Random
  readonly stopping: AbortSignal
  /** By purpose. */
  readonly handlers: ReadonlyMap<string, BulkHandler>
  open(device: DeviceId, protocol: ProtocolId, options: { readonly signal: AbortSignal }): Promise<OpenOutcome>
  serve(protocol: ProtocolId, handler: (channel: Channel) => Promise<void>): void
  directPaths(device: DeviceId): Promise<DirectPaths>
  /** Relays that this device is connected to, and over which the other one may be reached. */
  relayPaths(device: DeviceId): readonly RelayPath[]
}

export type BulkOutcome =
  | { readonly kind: 'open'; readonly connection: BulkConnection }
  /** `no-route`: use a channel; `refused`: the other side does not take it. */
  | { readonly kind: 'absent'; readonly reason: 'no-route' | 'refused' | 'timed-out' | 'stopped' }

export interface BulkHandler {
  /** Asked before anything is opened. */
  allows(device: DeviceId): boolean
  onOpened(connection: BulkConnection): void
}

export interface BulkWish {
  readonly signal?: AbortSignal
  /** Whether one over a relay will do. */
  readonly mayRelay?: boolean
}

/** Who dials: whichever of the two can, the other one, or both a relay. */
type Turn = 'either' | 'reverse' | 'relay'

interface Wanted {
  readonly device: DeviceId
  readonly purpose: string
  readonly signal: AbortSignal
  readonly mayRelay: boolean
}

export class BulkChannels {
  readonly #deps: BulkDeps
  readonly #tickets = new Tickets()

  constructor(deps: BulkDeps) {
    this.#deps = deps
    deps.stopping.addEventListener('abort', () => this.#tickets.clear(), { once: true })
  }

  /** Answers other devices from now on. */
  serve(): void {
    this.#deps.serve(BULK_PROTOCOL, (channel) => this.#answer(channel))
  }

  /** A raw connection that somebody opens at a port of ours. */
  onRaw(socket: Socket): void {
    void this.#tickets.admit(socket, this.#deps.stopping)
  }

  /** Opens a raw connection to a device, for a purpose that it handles; never throws because there is none. */
  async open(device: DeviceId, purpose: string, options: BulkWish = {}): Promise<BulkOutcome> {
    const { stopping } = this.#deps
    const signal = AbortSignal.any([stopping, ...(options.signal === undefined ? [] : [options.signal])])
    const wanted = { device, purpose, signal, mayRelay: options.mayRelay ?? true }
    let reason: 'no-route' | 'refused' | 'timed-out' = 'no-route'
    for (let turn: Turn | undefined = 'either'; turn !== undefined; ) {
      if (signal.aborted) return { kind: 'absent', reason: stopping.aborted ? 'stopped' : 'timed-out' }
      const done: Tried = await this.#offer(wanted, turn)
      if (done.kind === 'open') return done
      reason = done.reason
      turn = done.next
    }
    return { kind: 'absent', reason }
  }

  async #offer(wanted: Wanted, turn: Turn): Promise<Tried> {
    const { device, purpose, signal, mayRelay } = wanted
    const secret = this.#newSecret()
    const coming = turn === 'relay' ? undefined : this.#expect(device, secret)
    let next: Turn | undefined = turn !== 'relay' && mayRelay ? 'relay' : undefined
    try {
      const relays = mayRelay ? this.#deps.relayPaths(device).map((each) => each.device) : []
      const { dialled, known } = await this.#deps.directPaths(device)
      const wish = { direct: turn !== 'relay', reverse: turn === 'reverse', knows: known.length > 0, relays: relays.slice(0, 8) }
      const answer = await this.#ask(wanted, { purpose, ...secret, ...wish })
      if (answer === undefined || answer.way === 'none')
        return { kind: 'none', reason: answer === undefined ? 'refused' : 'no-route', next: undefined }
      // Whoever is behind a wall may get through to who is not.
      if (turn === 'either' && answer.way === 'dial' && dialled.length === 0) next = 'reverse'
      const raw = await this.#reach(device, { answer, secret, coming, signal })
      const via = answer.way === 'relay' ? 'relay' : 'direct'
      return { kind: 'open', connection: new SocketBulkConnection(raw, { peer: device, via }) }
    } catch (error) {
      this.#deps.logger.debug('bulk-not-opened', { device, turn, reason: String(error) })
      return { kind: 'none', reason: 'no-route', next }
    } finally {
      this.#tickets.forget(secret.ticket)
    }
  }

  /** `undefined` when the other side knows nothing of raw connections. */
  async #ask({ device, signal }: Wanted, offer: BulkOfferFrame): Promise<BulkAnswerFrame | undefined> {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(OPENING_WITHIN_MS)])
    const opened = await this.#deps.open(device, BULK_PROTOCOL, { signal: limited })
    const reply = opened.kind === 'open' ? await exchange(opened.channel, encodeBulkOffer(offer), limited) : undefined
    return reply === undefined ? undefined : decodeBulkAnswer(reply)
  }

  #reach(device: DeviceId, { answer, secret, coming, signal }: Reaching): Promise<RawSocket> {
    switch (answer.way) {
      case 'dial':
        return this.#dialDevice(device, secret, signal)
      case 'await':
        if (coming === undefined) throw new Error('the other side dials although it was not asked to')
        return orAborted(coming, AbortSignal.any([signal, AbortSignal.timeout(AWAIT_WITHIN_MS)]))
      case 'relay':
        return this.#overRelay(answer.relay, { device, secret, signal, open: (raw) => proveTo(raw, secret, signal) })
      case 'none':
        throw new Error('there is no way')
    }
  }

  async #answer(channel: Channel): Promise<void> {
    for await (const frame of channel.frames()) {
      const offer = decodeBulkOffer(frame)
      await this.#take(channel, offer).catch((error: unknown) =>
        this.#deps.logger.debug('bulk-not-opened', { device: channel.peer, reason: String(error) }),
      )
      return
    }
  }

  async #take(channel: Channel, offer: BulkOfferFrame): Promise<void> {
    const { handlers, stopping } = this.#deps
    const { peer: device } = channel
    const handler = handlers.get(offer.purpose)
    const answer: BulkAnswerFrame = handler?.allows(device) === true ? await this.#choose(device, offer) : { way: 'none' }
    const via = answer.way === 'relay' ? 'relay' : 'direct'
    const onOpened = (raw: RawSocket): void => handler?.onOpened(new SocketBulkConnection(raw, { peer: device, via }))
    const isFull = answer.way === 'dial' && !this.#tickets.expect({ ...offer, device, onOpened, onExpired: () => undefined })
    await channel.send(encodeBulkAnswer(isFull ? { way: 'none' } : answer))
    channel.close()
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(TICKET_AGE_MS)])
    if (answer.way === 'await') onOpened(await this.#dialDevice(device, offer, signal))
    const open = (raw: RawSocket): Promise<void> => demandOnly(raw, offer, signal)
    if (answer.way === 'relay') onOpened(await this.#overRelay(answer.relay, { device, secret: offer, signal, open }))
  }

  async #choose(device: DeviceId, { direct, reverse, knows, relays }: BulkOfferFrame): Promise<BulkAnswerFrame> {
    const { dialled, wasDialled, known } = await this.#deps.directPaths(device)
    if (direct && !reverse && (wasDialled || (knows && dialled.length === 0))) return { way: 'dial' }
    if (direct && dialled.length + known.length > 0) return { way: 'await' }
    const shared = this.#deps.relayPaths(device).find((each) => relays.includes(each.device))
    return shared === undefined ? { way: 'none' } : { way: 'relay', relay: shared.device }
  }

  /** Resolves with the socket when the other side has dialled and proven itself. */
  #expect(device: DeviceId, secret: BulkSecret): Promise<RawSocket> {
    const coming = Promise.withResolvers<RawSocket>()
    coming.promise.catch(() => undefined)
    const onExpired = (): void => coming.reject(new Error('the other side did not come'))
    if (!this.#tickets.expect({ ...secret, device, onOpened: coming.resolve, onExpired })) onExpired()
    return coming.promise
  }

  async #dialDevice(device: DeviceId, secret: BulkSecret, signal: AbortSignal): Promise<RawSocket> {
    const { dialled, known } = await this.#deps.directPaths(device)
    return this.#dial([...dialled, ...known], secret, signal)
  }

  #dial(endpoints: readonly Endpoint[], secret: BulkSecret, signal: AbortSignal): Promise<RawSocket> {
    return dialFirst(endpoints, { open: (raw, own) => proveTo(raw, secret, own), signal })
  }

  /** Both ends prove themselves to the relay, which joins them; then they do so to each other. */
  async #overRelay(relay: DeviceId, { device, secret, signal, open }: OverRelay): Promise<RawSocket> {
    const path = this.#deps.relayPaths(device).find((each) => each.device === relay)
    if (path === undefined) throw new Error('this is no relay of ours')
    const asked = await this.#deps.open(relay, SPLICE_PROTOCOL, { signal })
    const request = encodeSpliceRequest({ peer: device, session: secret.ticket })
    const reply = asked.kind === 'open' ? await exchange(asked.channel, request, signal) : undefined
    const spliced = reply === undefined ? undefined : decodeSpliceReply(reply)
    if (spliced?.status !== 'ok') throw new Error(`the relay joins nothing: ${spliced?.status ?? 'no answer'}`)
    const raw = await this.#dial(path.endpoints, spliced.secret, signal)
    return opened(raw, () => open(raw))
  }

  #newSecret(): BulkSecret {
    const { random } = this.#deps
    return { ticket: random.bytes(BULK_TICKET_BYTES), key: random.bytes(BULK_KEY_BYTES) }
  }
}

type Tried =
  | { readonly kind: 'open'; readonly connection: BulkConnection }
  | { readonly kind: 'none'; readonly reason: 'no-route' | 'refused'; readonly next: Turn | undefined }

interface Reaching {
  readonly answer: BulkAnswerFrame
  readonly secret: BulkSecret
  readonly coming: Promise<RawSocket> | undefined
  readonly signal: AbortSignal
}

interface OverRelay {
  readonly device: DeviceId
  readonly secret: BulkSecret
  readonly signal: AbortSignal
  readonly open: (raw: RawSocket) => Promise<void>
}

/** A socket that has been opened, or none: one that could not be opened is ended. */
async function opened(raw: RawSocket, open: () => Promise<void>): Promise<RawSocket> {
  try {
    await open()
    return raw
  } catch (error) {
    raw.socket.destroy()
    throw error
  }
}

/** Waits for the proof of one ticket and no other. */
async function demandOnly(raw: RawSocket, secret: BulkSecret, signal: AbortSignal): Promise<void> {
  await demandProof(raw, {
    find: (ticket) => (Buffer.from(secret.ticket).equals(ticket) ? secret : undefined),
    onWrong: () => undefined,
    take: () => true,
    signal,
  })
}
