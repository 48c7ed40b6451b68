/**
 * Our own prekeys: made weekly, kept 40 days after their successor was published (EB6, EB7). Pure: the store holds the
 * list, the caller commits what `rotate` gives.
 */
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import type { StoredPrekey } from '../ports/store.ts'
import { MAX_PREKEY_ID, type PrekeyBundleFields } from '../wire/sealed.ts'
import type { KeyPair } from './ratchet.ts'

const DAY_MS = 86_400_000
/** Age at which a new prekey is made. */
export const ROTATE_AFTER_MS = 7 * DAY_MS
/** After its successor's publication: mail lives 30 days, and a bundle may be a week old when it is used. */
export const KEEP_AFTER_SUCCESSOR_MS = 40 * DAY_MS

export interface Rotation {
  readonly keep: readonly StoredPrekey[]
  readonly removed: readonly number[]
  /** Rows that are new or changed. */
  readonly put: readonly StoredPrekey[]
  readonly current: StoredPrekey
}

/** Brings the list up to date: a new key when the current one is old, the dead ones out. */
export function rotate(random: Random, prekeys: readonly StoredPrekey[], now: number): Rotation {
  const live = prekeys.filter(({ supersededAt }) => supersededAt === null || now - supersededAt < KEEP_AFTER_SUCCESSOR_MS)
  const removed = prekeys.filter((prekey) => !live.includes(prekey)).map(({ id }) => id)
  const current = live.find(({ supersededAt }) => supersededAt === null)
  // A clock set back far must not freeze a key for ever, hence the distance both ways.
  if (current !== undefined && Math.abs(now - current.createdAt) < ROTATE_AFTER_MS) return { keep: live, removed, put: [], current }
  const made = makePrekey(random, live, { after: current?.id, now })
  const old = current === undefined ? [] : [{ ...current, supersededAt: now }]
  const keep = [...live.filter((prekey) => prekey !== current), ...old, made]
  return { keep, removed: removed.filter((id) => id !== made.id), put: [...old, made], current: made }
}

/** The first id is random, so that an id does not tell how old a device is. */
function makePrekey(
  random: Random,
  live: readonly StoredPrekey[],
  { after, now }: { after: number | undefined; now: number },
): StoredPrekey {
  const start = after ?? (random.bytes(1)[0] ?? 0) % MAX_PREKEY_ID
  const ids = Array.from({ length: MAX_PREKEY_ID }, (_, step) => ((start + step) % MAX_PREKEY_ID) + 1)
  const id = ids.find((candidate) => live.every((prekey) => prekey.id !== candidate)) ?? 1
  return { id, secret: random.bytes(32), kemSeed: random.bytes(64), createdAt: now, supersededAt: null }
}

export function prekeyPair(primitives: Primitives, { secret }: StoredPrekey): KeyPair {
  return { secret, public: primitives.x25519PublicKey(secret) }
}

export function bundleOf(primitives: Primitives, prekey: StoredPrekey, deviceKey: Uint8Array): PrekeyBundleFields {
  return {
    deviceKey,
    issuedAt: prekey.createdAt,
    prekeyId: prekey.id,
    signedPrekey: primitives.x25519PublicKey(prekey.secret),
    kemKey: primitives.mlKemPublicKey(prekey.kemSeed),
  }
}
