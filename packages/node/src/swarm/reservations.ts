/**
 * Circuit reservations, as far as the library leaves them to us. It never makes a configured one again (js-libp2p
 * #3601), closing one listener cancels the reservations of all (circuit-relay-v2 4.2.13, transport/listener.js), and a
 * relay that failed once is refused for ever. It renews by the wall clocks of two machines, and takes a place away again that
 * ends in the past by its own. This file is the only one that reaches past the public interface.
 */
import type { Listener, PeerData, PeerId, PeerStore } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { Clock, DeviceId } from '@skein/core'
import { orAborted } from './abandon.ts'
import { peerOf, withDevice } from './connections.ts'
import { RENEW_PLACE_MS, RESERVE_TIMEOUT_MS, RESERVE_TURN_MS } from './constants.ts'
import type { Stack } from './client-stack.ts'

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

interface ReservationStore extends EventTarget {
  peerStore: Pick<PeerStore, 'all' | 'merge'>
  hasReservation(relay: PeerId): boolean
  getReservation(relay: PeerId): { expire: bigint } | undefined
  addRelay(relay: PeerId, type: 'configured'): Promise<unknown>
  readonly relayFilter: { remove?(item: Uint8Array): boolean }
}

/** Seconds since 1970, beyond what any clock says. */
const NEVER = 2n ** 48n

interface Created {
  readonly relay: PeerId
  readonly details: { readonly timeout: ReturnType<typeof setTimeout>; readonly reservation: { expire: bigint } }
}

interface CircuitListener extends Listener {
  readonly relay?: PeerId
  readonly reservationStore: ReservationStore
  readonly _onRemoveRelayPeer: (event: Event) => void
  readonly _onAddRelayPeer: (event: Event) => void
}

export class Reservations {
  private readonly stack: Stack
  private readonly clock: Pick<Clock, 'monotonic'>
  /** When each place was given, by the monotonic clock. */
  private readonly givenAt = new Map<DeviceId, number>()
  private hasTakenOver = false
  /**
   * One at a time, as long as it answers soon: when the library has made one reservation it throws away those that wait, and their promises never
   * settle (circuit-relay-v2 4.2.13, reservation-store.js, `reserveQueue.clear()`).
   */
  private turn: Promise<unknown> = Promise.resolve()

  constructor(stack: Stack, clock: Pick<Clock, 'monotonic'>) {
    this.stack = stack
    this.clock = clock
  }

  /** Whether the relay holds a place for us and our address over it is announced. */
  isReserved(relay: DeviceId): boolean {
    return (
      this.store().hasReservation(peerOf(relay)) &&
      this.stack.getMultiaddrs().some((each) => each.toString().includes(`/p2p/${relay}/p2p-circuit`))
    )
  }

  /** Whether it is time to ask for the place anew: the relay holds it for a week (PT15). */
  isDue(relay: DeviceId): boolean {
    return this.clock.monotonic() - (this.givenAt.get(relay) ?? Number.POSITIVE_INFINITY) >= RENEW_PLACE_MS
  }

  /** Tells of each place that is gone, also while the connection to its relay stands. @returns ends that */
  onLost(tell: (relay: DeviceId) => void): () => void {
    const store = this.store()
    const onRemoved = (event: Event): void => withDevice((event as CustomEvent<{ relay: PeerId }>).detail.relay, tell)
    store.addEventListener('relay:removed', onRemoved)
    return () => store.removeEventListener('relay:removed', onRemoved)
  }

  /** @param address of the relay, ending in its peer id. @throws Error when the relay refuses, is gone or does not answer */
  reserve(relay: DeviceId, address: string, signal: AbortSignal): Promise<void> {
    const reserved = this.turn.then(() =>
      orAborted(this.reserveNow(relay, address), AbortSignal.any([signal, AbortSignal.timeout(RESERVE_TIMEOUT_MS)])),
    )
    this.turn = Promise.race([reserved.catch(() => undefined), this.turn.then(() => pause(RESERVE_TURN_MS))])
    return reserved
  }

  private async reserveNow(relay: DeviceId, address: string): Promise<void> {
    const peer = peerOf(relay)
    this.takeOver(this.store())
    this.store().relayFilter.remove?.(peer.toMultihash().bytes)
    const before = this.listeners()
    if (before.some((each) => each.relay?.equals(peer) === true)) {
      // The library asks anew for a place that ends soon, and for no other.
      const held = this.store().getReservation(peer)
      if (held !== undefined) held.expire = 0n
      // The listener that stands takes over the addresses of the new reservation.
      await this.store().addRelay(peer, 'configured')
      return
    }
    try {
      await this.stack.services.transports.transportManager.listen([multiaddr(`${address}/p2p-circuit`)])
    } catch (error) {
      for (const each of this.listeners()) if (!before.includes(each) && each.relay === undefined) detach(each)
      throw error
    }
  }

  /** From now on places are renewed when this side asks again, whatever the clocks of the two machines say. */
  private takeOver(store: ReservationStore): void {
    if (this.hasTakenOver) return
    this.hasTakenOver = true
    store.peerStore = lasting(store.peerStore)
    store.addEventListener('relay:created-reservation', (event) => {
      const { relay, details } = (event as CustomEvent<Created>).detail
      clearTimeout(details.timeout)
      details.reservation.expire = NEVER
      withDevice(relay, (device) => this.givenAt.set(device, this.clock.monotonic()))
    })
  }

  /** Removes what is left of a relay that is no longer ours, e.g. one that came back with another peer id. */
  discard(relay: DeviceId): void {
    const peer = peerOf(relay)
    for (const each of this.listeners()) if (each.relay?.equals(peer) === true) detach(each)
  }

  listenerCount(): number {
    return this.listeners().length
  }

  private store(): ReservationStore {
    for (const transport of this.stack.services.transports.transportManager.getTransports()) {
      if ('reservationStore' in transport) return transport.reservationStore as ReservationStore
    }
    throw new Error('the stack has no circuit transport')
  }

  private listeners(): readonly CircuitListener[] {
    return this.stack.services.transports.transportManager
      .getListeners()
      .filter((each): each is CircuitListener => '_onAddRelayPeer' in each)
  }
}

/** Keeps no tag for a time only: the library takes it from the clocks of both machines, and one below zero for an error. */
function lasting(peerStore: ReservationStore['peerStore']): ReservationStore['peerStore'] {
  const merge: PeerStore['merge'] = (peer, data) => {
    const tags = Object.entries((data as PeerData).tags ?? {}).map(([name, tag]) => [name, tag && { ...tag, ttl: undefined }])
    return peerStore.merge(peer, { tags: Object.fromEntries(tags) })
  }
  return { all: (query) => peerStore.all(query), merge }
}

/** What `close()` does, without cancelling the reservations of the other listeners. */
function detach(listener: CircuitListener): void {
  listener.reservationStore.removeEventListener('relay:removed', listener._onRemoveRelayPeer)
  listener.reservationStore.removeEventListener('relay:created-reservation', listener._onAddRelayPeer)
  // The transport manager lets go of a listener that says it has closed.
  listener.dispatchEvent(new Event('close'))
}
