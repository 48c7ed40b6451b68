/** Numbers of hole punching; each is listed in docs/LIMITS.md. Times in milliseconds. */

/** Local ports for punching: below the ephemeral range of Linux, macOS and Windows, so that nobody else is given them. */
export const FIRST_PORT = 20_000
export const LAST_PORT = 30_000
/** Another port is tried when one is taken. */
export const PORT_TRIES = 4
/** For a reflector to say where it sees us. */
export const REFLECT_TIMEOUT_MS = 3_000
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
/** One dial; a SYN that was dropped is sent again by the kernel after 1 s, which is too long to wait for. */
export const DIAL_TIMEOUT_MS = 700
/** Attempts in one coordination: the specification of DCUtR wants two retries. */
export const ATTEMPTS = 3
/** One message of the coordination. */
export const MESSAGE_TIMEOUT_MS = 5_000
/** Noise and multiplexer on a socket that is open. */
export const UPGRADE_TIMEOUT_MS = 5_000
