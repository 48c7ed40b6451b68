/** Numbers the swarm is tuned with; each is listed in docs/LIMITS.md. Times in milliseconds. */

/** ICE gathers and checks in this time; the library's 6 s cuts off slow paths (notes/nat.md §7 no. 5). */
export const DIAL_TIMEOUT_MS = 15_000
/** Whoever is on the local network answers at once; one that has just come back is not waited for through the retries of TCP. */
export const GREET_TIMEOUT_MS = 2_000
/** Longer than a negotiation over two satellite hops, shorter than anybody's patience. */
export const STREAM_TIMEOUT_MS = 10_000
/** Addresses and peers are looked after by us; the library would forget them within one and six hours. */
export const ADDRESS_AGE_MS = 24 * 3_600_000
/** Far above a community of 100; the library closes the least valued connection beyond it. */
export const MAX_CONNECTIONS = 1_000
/** Per second and address: households, carrier NATs and tests share one address; the library's 5 locks them out. */
export const INBOUND_PER_SECOND = 100
/** Inbound connections that are not authenticated yet. */
export const MAX_PENDING_INBOUND = 100
/** Streams of one protocol of ours on one connection, each way. */
export const MAX_STREAMS = 64

/** `stop()` takes no longer: WebRTC's own may hang (notes/libp2p.md §4 no. 9). */
export const STOP_TIMEOUT_MS = 3_000

/** Between two pings of a kept connection. */
export const PING_EVERY_MS = 15_000
/** After which one ping has failed, and the next is sent at once. */
export const PING_TIMEOUT_MS = 5_000
/** Failed pings in a row, with no frame in between, that end a connection. */
export const PINGS_UNTIL_DEAD = 3
/** Whoever has slept for longer has been found dead by everybody else: a wait, and pings that fail. */
export const FORGOTTEN_AFTER_MS = PING_EVERY_MS + PINGS_UNTIL_DEAD * PING_TIMEOUT_MS
/** For a connection to answer when its device has opened or lost another, ms: the device may be gone, or back from the dead. */
export const DOUBT_TIMEOUT_MS = 3_000

/** Pings of DOUBT_TIMEOUT_MS each until a path that was opened beside a lesser one counts as carrying nothing, and ends. */
export const PROOFS = 3

/**
 * How long a direct dial may try alone before the circuits are dialled as well: what is kept of a device from another network answers
 * nothing, and a relayed path, which takes some round trips more, is to carry traffic soon.
 */
export const DIRECT_HEAD_START_MS = 150
/**
 * Waits before tries of a direct connection beside a relayed one; the last goes on. The second and third are for a network
 * that is just coming up; then a changed network is found in time.
 */
export const IMPROVE_AFTER_MS: readonly number[] = [0, 1_000, 3_000, 10_000, 60_000]
/** For identify to tell the addresses of a device that has just connected. */
export const IDENTIFY_WITHIN_MS = 1_500
/** A path that carries has shown it after some of these times; then a search goes on beside one that has not. */
export const PROVEN_WITHIN_MS = 500
export const PROVEN_LOOKS = 4
/** Waits after which a punch that broke off is begun again beside other rungs that are still being tried. */
export const PUNCH_AGAIN_AFTER_MS: readonly number[] = [600, 1_500, 3_000]
/**
 * From a direct connection to the end of the other dials. The connection is told of before its dial has returned, and with
 * the dial its socket would end.
 */
export const SETTLE_AFTER_MS = 100
/** A direct connection older than this did not come of the same dials as a relayed one that opens now. */
export const SETTLED_MS = 5_000
/** WebRTC waits so long for a punched or dialled TCP connection, which is there sooner and carries more. */
export const WEBRTC_AFTER_MS = 700
/** Both sides must have seen both connections before one of them is closed. */
export const DUPLICATE_GRACE_MS = 3_000
/** After so many times of this grace whoever uses the doubling one is told to move; after so many more it is closed all the same. */
export const BUSY_GRACES = 2
export const BUSY_GRACES_AT_MOST = 20

/** How long one address of a relay may try before the next is dialled as well; RFC 8305 waits 150 to 250 ms. */
export const RELAY_HEAD_START_MS = 200

/** For `GET /relay.json`. */
export const DESCRIPTION_TIMEOUT_MS = 5_000
export const MAX_DESCRIPTION_BYTES = 65_536
/** Descriptions of other people's relays are asked for again after this. */
export const DESCRIPTION_AGE_MS = 30_000
/** Addresses of one relay that are taken; one with more is no relay. */
export const MAX_RELAY_ADDRESSES = 32
/** Descriptions kept; made-up URLs in cards push out the oldest. */
export const MAX_DESCRIPTIONS = 64

/**
 * Rejoining a relay: at random up to a bound that doubles from the first to the last; for the first half minute of an outage no
 * further than to the second, for a relay that has restarted is to be joined again within 3 s.
 */
export const REJOIN_FIRST_MS = 250
export const REJOIN_SOON_MS = 1_250
export const REJOIN_SOON_FOR_MS = 30_000
export const REJOIN_MOST_MS = 10_000
/** A try to join a relay that is older than this is begun anew when the network changes: it may hang on what is gone. */
export const HANGS_AFTER_MS = 1_000
/** Places that are asked for at once; nobody has so many relays. */
export const RESERVATIONS_AT_ONCE = 16
/** After which others ask for their place beside a relay that has not answered. */
export const RESERVE_TURN_MS = 1_000
/** One request for a place on a relay; longer than the library's own limit for it. */
export const RESERVE_TIMEOUT_MS = 12_000
/** A place is asked for anew after this, a seventh of the time for which a relay holds it: none is lost because one answer is. */
export const RENEW_PLACE_MS = 24 * 3_600_000
/** Between two looks whether a reservation still stands. */
export const RESERVATION_CHECK_MS = 30_000

/** One request to a relay and its reply. */
export const REQUEST_TIMEOUT_MS = 10_000
/** One put or get in the DHT. */
export const DHT_TIMEOUT_MS = 10_000

/** How long a dial to a relay waits for another one that has begun already, ms: some handshakes. */
export const SHARED_DIAL_MS = 1_000
