/** Numbers of files on Node.js; each is listed in docs/LIMITS.md. */

/** Left free on a disk beside what is received, in bytes: databases and logs go on. */
export const RESERVE_BYTES = 33_554_432
/** Files whose bytes are made durable at once. */
export const SYNC_AT_ONCE = 64
/** Names that are tried before giving up: `a`, `a (2)`, … */
export const MAX_NUMBER = 10_000
/** Memory for chunks that is kept for the next ones, in bytes: what is under way of one transfer, on a side. */
export const MAX_KEPT_BYTES = 12_582_912
/** What nobody knows beside the database is removed when it is so old, ms (FI40). */
export const LEFT_OVER_MS = 86_400_000
/** Written bytes of a file after which the system is asked to put them on the disk: at the end little is left to wait for. */
export const SYNC_EVERY_BYTES = 33_554_432
/** What a file or folder takes on a disk beside its bytes, as it is counted in advance. */
export const BLOCK_BYTES = 4_096
/** Files that are made between two looks at the room on the disk: empty ones take some too. */
export const LOOK_EVERY_FILES = 1_000
