/** Numbers of hole punching; each is listed in docs/LIMITS.md. Times in milliseconds. */

/** Local ports for punching: below the ephemeral range of Linux, macOS and Windows, so that nobody else is given them. */
export const FIRST_PORT = 20_000
export const LAST_PORT = 30_000
/** Another port is tried when one is taken. */
export const PORT_TRIES = 4
/** For a reflector to say where it sees us. */
export const REFLECT_TIMEOUT_MS = 3_000
/** For the other reflectors, once one has said it: one that is away is not waited for. */
export const REFLECT_MORE_MS = 300
/** The longest line of a reflector, bytes: an IPv6 address, brackets, a port. */
export const MAX_REFLECTION_BYTES = 64
/** A port whose mapping is known is used within this time; most NATs keep a TCP mapping that has closed for minutes. */
export const PORT_AGE_MS = 15_000

/** Addresses of the other side that are tried at once, and how often each is dialled in one attempt. */
export const MAX_TARGETS = 8
export const DIALS_PER_TARGET = 10
/** One attempt to open at once, in all. */
export const ATTEMPT_TIMEOUT_MS = 3_000
/** Before a target that refused is dialled again: the other side's NAT may not have been open yet. */
export const REDIAL_AFTER_MS = 60
/**
 * One dial; a SYN that was dropped is sent again by the kernel after 1 s, which is too long to wait for. But no dial is given
 * up before DIAL_ROUND_TRIPS of what the coordination has taken, nor an attempt before ATTEMPT_ROUND_TRIPS.
 */
export const DIAL_TIMEOUT_MS = 700
export const DIAL_ROUND_TRIPS = 2
export const ATTEMPT_ROUND_TRIPS = 6
/** The longest round trip that is believed: the other side may take its time to answer. */
export const MAX_ROUND_TRIP_MS = 2_000
/** Attempts in one coordination: the specification of DCUtR wants two retries. */
export const ATTEMPTS = 3
/** TCP punches that one device may have in a minute, begun by either side: a contact is not to make us dial without end. */
export const PUNCHES_PER_MINUTE = 10
/** Attempts at one host in a minute for one device; each dials every port of it DIALS_PER_TARGET times at most. */
export const ATTEMPTS_PER_HOST_AND_MINUTE = 12
/** The same for all devices together: those of one contact are as many as it says. */
export const ALL_ATTEMPTS_PER_HOST_AND_MINUTE = 36
/** One message of the coordination. */
export const MESSAGE_TIMEOUT_MS = 5_000
/** For the last word of a coordination to leave. */
export const SAY_NO_WITHIN_MS = 1_000
/** Noise and multiplexer on a socket that is open. */
export const UPGRADE_TIMEOUT_MS = 5_000

// Over UDP.

/** Sockets of the side whose NAT takes an unforeseeable port for each; 256 open ports are hit once in 252 probes on average. */
export const MOST_SOCKETS = 256
/** Sockets of a side whose ports follow each other: the other side knows where to look. */
export const FEW_SOCKETS = 16
/** Hops of the packets that open one's own NAT: through it, a carrier's as well, and not as far as the other side's. */
export const OPENER_TTL = 5
/** Between two probes: 250 a second, and for so long at most. */
export const PROBE_EVERY_MS = 4
export const PROBE_FOR_MS = 10_000
export const MOST_PROBES = PROBE_FOR_MS / PROBE_EVERY_MS
/** A late timer is made up for by probes of so much time: 25. */
export const MOST_ARREARS_MS = 100
/** Ports beyond the last known one that are tried of a NAT whose ports follow each other. */
export const PORTS_AHEAD = 64
/** Smallest port that is tried of a NAT with unforeseeable ones; Linux and most routers begin there. */
export const FIRST_RANDOM_PORT = 1_024
/** Repetition of what goes to one known endpoint. */
export const REPEAT_EVERY_MS = 100
/** Two foreseeable NATs have that long for a TCP punch, which carries more, before UDP is tried. */
export const AFTER_TCP_MS = 1_500
/** UDP punches under way at once; each may hold MOST_SOCKETS sockets. Of those that others have begun one less, or they could take all places. */
export const MOST_UDP_PUNCHES = 3
export const MOST_ANSWERED_UDP_PUNCHES = MOST_UDP_PUNCHES - 1
/** Before another UDP punch for a device whose last one failed; twice as long for each that failed before it, up to the second. */
export const UDP_PUNCH_PAUSE_MS = 30_000
export const LONGEST_UDP_PUNCH_PAUSE_MS = 120_000
/** Before another UDP punch that a device asks for which has broken off its last one; twice as long for each before it. */
export const BROKEN_PUNCH_PAUSE_MS = 500
/** UDP punches towards one host in a minute, for whichever device: each sends it MOST_PROBES at most. */
export const UDP_PUNCHES_PER_HOST_AND_MINUTE = 4
/** A search for a path goes on for so long when the other side has ended its own. */
export const LEFT_ALONE_MS = 1_000
/** Ports that follow each other may be missed when something else opens a connection meanwhile. */
export const SEQUENTIAL_ROUNDS = 5
export const SEQUENTIAL_ROUND_MS = 1_200
/** A stream over UDP keeps its NATs' mappings by this; RFC 4787 lets them go after 2 minutes, many routers after 30 s. */
export const UDP_KEEPALIVE_MS = 10_000
/** For a relay to say where it sees us while there is another one to ask. */
export const ELSEWHERE_WITHIN_MS = 800
/** Relays in common that are asked before a punch over UDP: within MESSAGE_TIMEOUT_MS of the other side. */
export const MOST_SERVERS_ASKED = 3
/** A STUN server that did not help is asked after the others for so long. */
export const USELESS_FOR_MS = 300_000
