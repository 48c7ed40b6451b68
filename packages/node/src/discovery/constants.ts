/** Numbers of discovery on local networks; each is listed in docs/LIMITS.md. Times in milliseconds. */

/** UDP port of the beacon; in no registry, below the ports that systems hand out. */
export const BEACON_PORT = 25_519
/** Between two beacons (LD1). */
export const BEACON_EVERY_MS = 5_000
/** All nodes on the link (RFC 4291 §2.7.1): switches that prune multicast groups never prune this one. */
export const ALL_NODES = 'ff02::1'

/** RFC 6762 §3. */
export const MDNS_PORT = 5_353
export const MDNS_GROUP4 = '224.0.0.251'
export const MDNS_GROUP6 = 'ff02::fb'
/** RFC 6762 §11. */
export const MDNS_HOPS = 255
/** Lifetime of our records, seconds: RFC 6762 §10 for records that name a host; all of ours change every quarter hour. */
export const MDNS_TTL_S = 120
/** When we ask who is there, after an interface came (RFC 6762 §5.2). */
export const MDNS_ASK_AT_MS = [0, 1_000, 3_000]
/** An answer on one interface is not repeated within this (RFC 6762 §6). */
export const MDNS_ANSWER_EVERY_MS = 1_000
/** Largest mDNS message that is looked at, bytes (RFC 6762 §17). */
export const MAX_MDNS_BYTES = 9_000
/** Records and questions of an mDNS message that is looked at; a busy responder sends some thirty, we four. */
export const MAX_MDNS_RECORDS = 64
/** mDNS messages looked at in a second, whoever sends them, and of one sender. */
export const MAX_MDNS_PER_SECOND = 200
export const MAX_MDNS_OF_ONE = 20
/** Time given to them in a second, and to those of one sender. An ordinary message takes 0.1 ms. */
export const MDNS_TIME_MS = 100
export const MDNS_TIME_OF_ONE_MS = 25

/** How often the interfaces are looked at (LD8). The system call takes some 0.1 ms. */
export const INTERFACES_EVERY_MS = 1_000
