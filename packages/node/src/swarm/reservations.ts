/**
 * Circuit reservations, as far as the library leaves them to us. It never makes a configured one again (js-libp2p
 * #3601), closing one listener cancels the reservations of all (circuit-relay-v2 4.2.13, transport/listener.js), and a
 * relay that failed once is refused for ever. This file is the only one that reaches past the public interface.
 */
import type { Listener, PeerId } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { DeviceId } from '@skein/core'
import { orAborted } from './abandon.ts'
import { peerOf, withDevice } from './connections.ts'
import { RESERVE_TIMEOUT_MS, RESERVE_TURN_MS } from './constants.ts'
import type { Stack } from './client-stack.ts'

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

interface ReservationStore extends EventTarget {
  hasReservation(relay: PeerId): boolean
  addRelay(relay: PeerId, type: 'configured'): Promise<unknown>
  readonly relayFilter: { remove?(item: Uint8Array): boolean }
}

interface CircuitListener extends Listener {
  readonly relay?: PeerId
  readonly reservationStore: ReservationStore
  readonly _onRemoveRelayPeer: (event: Event) => void
  readonly _onAddRelayPeer: (event: Event) => void
}

export class Reservations {
  private readonly stack: Stack
  /**
   * One at a time, as long as it answers soon: when the library has made one reservation it throws away those that wait, and their promises never
   * settle (circuit-relay-v2 4.2.13, reservation-store.js, `reserveQueue.clear()`).
   */
  private turn: Promise<unknown> = Promise.resolve()

  constructor(stack: Stack) {
    this.stack = stack
  }

  /** Whether the relay holds a place for us and our address over it is announced. */
  isReserved(relay: DeviceId): boolean {
    return (
      this.store().hasReservation(peerOf(relay)) &&
      this.stack.getMultiaddrs().some((each) => each.toString().includes(`/p2p/${relay}/p2p-circuit`))
    )
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
    this.store().relayFilter.remove?.(peer.toMultihash().bytes)
    const before = this.listeners()
    if (before.some((each) => each.relay?.equals(peer) === true)) {
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

/** What `close()` does, without cancelling the reservations of the other listeners. */
function detach(listener: CircuitListener): void {
  listener.reservationStore.removeEventListener('relay:removed', listener._onRemoveRelayPeer)
  listener.reservationStore.removeEventListener('relay:created-reservation', listener._onAddRelayPeer)
  // The transport manager lets go of a listener that says it has closed.
  listener.dispatchEvent(new Event('close'))
}
