/** Who is there, as data: pure steps over a map (PR1 to PR11). Instants here are monotonic milliseconds. */
import type { AccountId, DeviceId } from '../ids.ts'
import type { SignedBytes } from '../wire/signed.ts'

/** A presence is repeated this often (PR3). */
export const REFRESH_INTERVAL_MS = 15_000
/** Silence after which a peer is shown as gone: three missed refreshes (PR4). */
export const REAP_AFTER_MS = 45_000
/**
 * Longest silence that a device may ask for (PR11). Browsers wake a hidden page once a minute after its first five minutes (Chrome's
 * intensive throttling of timers): one refresh may be lost, and a recording stays useless within `CLOCK_WINDOW_MS`.
 */
export const MAX_LEASE_MS = 3 * 60_000
/** Wait between joining a network and announcing (PR1): connections of one start-up settle first. */
export const SETTLE_MS = 500
/** On a shared topic a presence is refused when its time is further off than this (PR6): bounds the use of recordings. */
export const CLOCK_WINDOW_MS = 5 * 60_000
/** Traffic refreshes a peer at most this often. */
const TOUCH_GRAIN_MS = 1_000
/** Peers in the table at most (PR9); beyond it strangers are not taken up, and make room for contacts. */
export const MAX_PRESENT = 4_096

export interface Present {
  readonly device: DeviceId
  readonly account: AccountId
  readonly name: string
  /** Of an accepted contact. */
  readonly contact: boolean
  /** Last sign of life. */
  readonly aliveAt: number
  /** Time inside the newest presence, sender's clock: an older or equal one is a replay. */
  readonly signedAt: number
  /** Silence after which it is shown as gone, 45 s to 3 min. */
  readonly lease: number
  /** Newest presence per network, so that it can be repeated to others there. */
  readonly signed: ReadonlyMap<string, SignedBytes>
}

export type PresenceTable = ReadonlyMap<DeviceId, Present>

export interface Heard {
  readonly device: DeviceId
  readonly account: AccountId
  readonly name: string
  readonly contact: boolean
  readonly signedAt: number
  /** Milliseconds, within its bounds. */
  readonly lease: number
  /** Hex of the network id. */
  readonly network: string
  readonly signed: SignedBytes
  /** Milliseconds since it was first heard, 0 when straight from the device. */
  readonly age: number
}

export type HearOutcome = 'arrived' | 'refreshed' | 'replayed' | 'full' | 'stale'

/** The silence that a device asks for, within its bounds (PR11). */
export function leaseOf(asked: number): number {
  return Math.min(MAX_LEASE_MS, Math.max(REAP_AFTER_MS, asked))
}

/** Takes a verified presence into the table. */
export function hear(table: PresenceTable, heard: Heard, now: number): { readonly table: PresenceTable; readonly outcome: HearOutcome } {
  const known = table.get(heard.device)
  if (known !== undefined && heard.signedAt <= known.signedAt) return { table, outcome: 'replayed' }
  // Repeated by others, it proves life when it was signed, not now (PR5).
  const aliveAt = Math.max(now - heard.age, known?.aliveAt ?? 0)
  if (now - aliveAt >= heard.lease) return { table, outcome: 'stale' }
  const room = known === undefined ? withRoom(table, heard.contact) : new Map(table)
  if (room === undefined) return { table, outcome: 'full' }
  const signed = new Map(known?.signed).set(heard.network, heard.signed)
  const { device, account, name, contact, signedAt, lease } = heard
  room.set(device, { device, account, name, contact, aliveAt, signedAt, lease, signed })
  return { table: room, outcome: known === undefined ? 'arrived' : 'refreshed' }
}

/** A copy of the table with a place free; a stranger gives its place to a contact. `undefined` when there is none. */
function withRoom(table: PresenceTable, contact: boolean): Map<DeviceId, Present> | undefined {
  const copy = new Map(table)
  if (table.size < MAX_PRESENT) return copy
  const stranger = contact ? [...table.values()].find((present) => !present.contact) : undefined
  if (stranger === undefined) return undefined
  copy.delete(stranger.device)
  return copy
}

/** Authenticated traffic of any kind from a device that is present (PR7). */
export function touch(table: PresenceTable, device: DeviceId, now: number): PresenceTable {
  const known = table.get(device)
  // The table is copied on change, so a busy connection counts once a second.
  if (known === undefined || now - known.aliveAt < TOUCH_GRAIN_MS) return table
  return new Map(table).set(device, { ...known, aliveAt: now })
}

/** Removes who has been silent too long. */
export function reap(table: PresenceTable, now: number): { readonly table: PresenceTable; readonly gone: readonly Present[] } {
  const gone = [...table.values()].filter(({ aliveAt, lease }) => now - aliveAt >= lease)
  if (gone.length === 0) return { table, gone }
  const left = new Map(table)
  for (const { device } of gone) left.delete(device)
  return { table: left, gone }
}

/** The presences of a network heard lately, freshest first: what a REFRESH repeats (PR8). */
export function lately(
  table: PresenceTable,
  network: string,
  { now, most }: { now: number; most: number },
): readonly { signed: SignedBytes; age: number }[] {
  return [...table.values()]
    .flatMap((present) => {
      const signed = present.signed.get(network)
      return signed === undefined ? [] : [{ signed, age: Math.max(0, Math.round(now - present.aliveAt)) }]
    })
    .sort((a, b) => a.age - b.age)
    .slice(0, most)
}
