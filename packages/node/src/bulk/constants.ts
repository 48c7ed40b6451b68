/** Numbers of raw connections; each is listed in docs/LIMITS.md. Times in milliseconds. */

import type { ProtocolId } from '@skein/core'

/** On which two devices agree. */
export const BULK_PROTOCOL: ProtocolId = '/skein/bulk/1'
/** On which a relay is asked to join two raw connections. */
export const SPLICE_PROTOCOL: ProtocolId = '/skein/splice/1'

/** First bytes of a raw connection. None of libp2p begins with the first of them: multistream's length is 0x13. */
export const MAGIC = new TextEncoder().encode('SKEINBK1')
/** Fresh for each raw connection, so that nothing recorded proves anything. Bytes. */
export const CHALLENGE_BYTES = 32
/** Two round trips, with time for a phone far away. */
export const OPENING_WITHIN_MS = 10_000
/** To connect by TCP to one address; then the relay is tried. */
export const CONNECT_WITHIN_MS = 3_000
/** How long one address may try alone before the next is dialled as well; RFC 8305 waits 150 to 250 ms. */
export const HEAD_START_MS = 200
/** For the other side to dial and to prove itself; then the relay is tried. */
export const AWAIT_WITHIN_MS = 6_000
/** How long a ticket waits for its raw connection. */
export const TICKET_AGE_MS = 20_000
/** Wrong proofs for one ticket, which stands in clear on the raw connection: guessing must not go on, and one wrong try must not end it. */
export const MAX_TRIES_PER_TICKET = 8
/** Tickets of one device that wait for their connection. */
export const MAX_TICKETS_PER_DEVICE = 16
/** Tickets of all devices. */
export const MAX_TICKETS = 4_096
/** Largest frame, bytes: 1 MiB and what sealing adds. */
export const MAX_BULK_FRAME_BYTES = 1_114_112
/** For the other side to take what was written, before the socket is cut. */
export const CLOSE_WITHIN_MS = 10_000
/** Between probes of a silent connection by TCP itself: whoever has gone without a word is noticed. */
export const KEEP_ALIVE_MS = 15_000
/** A splice that carries nothing for so long ends: it holds two sockets. */
export const SPLICE_IDLE_MS = 600_000
