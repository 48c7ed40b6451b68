/** A relay's places for its members, where the library's own keeping of them fails. */
import type { CircuitRelayService } from '@libp2p/circuit-relay-v2'
import type { PeerId } from '@libp2p/interface'

interface Place {
  readonly signal: AbortSignal & { clear(): void }
}

/** Not in the library's types. */
interface PlaceStore {
  readonly reservations: { delete(peer: PeerId): void }
  get(peer: PeerId): Place | undefined
  reserve(peer: PeerId, ...rest: unknown[]): unknown
  removeReservation(peer: PeerId): void
}

/**
 * Makes every refresh a new place. retimeable-signal 1.0.1 cancels the timer it began with, but not that of an earlier
 * refresh: the place of a member that stays for two lifetimes, and every circuit over it, would end while both sides
 * believe in it (notes/nat.md §4). A place that is removed takes its timer along, lest it end a later one of the same peer.
 */
export function renewWhole(relay: CircuitRelayService): void {
  const store = storeOf(relay)
  const reserve = store.reserve.bind(store)
  store.removeReservation = (peer) => {
    store.get(peer)?.signal.clear()
    store.reservations.delete(peer)
  }
  store.reserve = (peer, ...rest) => {
    store.removeReservation(peer)
    return reserve(peer, ...rest)
  }
}

/** The library keeps the place of a peer that has gone until its TTL ends (js-libp2p #2833). */
export function release(relay: CircuitRelayService, peer: PeerId): void {
  storeOf(relay).removeReservation(peer)
}

function storeOf(relay: CircuitRelayService): PlaceStore {
  return (relay as CircuitRelayService & { readonly reservationStore: PlaceStore }).reservationStore
}
