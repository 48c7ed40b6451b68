/** Bundles (RFC 9171's word): sealed bytes on their way, and what a carrier may know about them. */
import { hex } from '@scure/base'
import type { Primitives } from '../ports/index.ts'
import { type BundleFields, CHUNK_PRIORITY, decodeBundle } from '../wire/mesh-bundle.ts'

declare const brand: unique symbol
/** SHA-256 of all that does not change on the way, lower-case hex. */
export type BundleId = string & { readonly [brand]: 'BundleId' }
/** First 8 bytes of the id, 16 hex digits: what tables and announcements use. */
export type BundleKey = string & { readonly [brand]: 'BundleKey' }
/** First 4 bytes of SHA-256 of a delivery tag, as a number: enough to route by, too little to fetch with. */
export type MeshAddress = number & { readonly [brand]: 'MeshAddress' }

export type Priority = 0 | 1 | 2

/** What every carrier sees of a bundle. */
export interface BundleHeader {
  readonly id: BundleId
  readonly key: BundleKey
  readonly address: MeshAddress
  /** First 16 bytes of SHA-256 of the cure key, hex; bundles with the same lock are cured together. */
  readonly lock: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
  readonly priority: Priority
  /** Length, without what changes on the way. */
  readonly bytes: number
  /** One of several pieces behind its lock (ME23). */
  readonly isPiece?: boolean
}

/** A bundle held here. The mutable part is this copy's own. */
export interface HeldBundle extends BundleHeader {
  /** Milliseconds since 1970. */
  readonly receivedAt: number
  /** Hops it has made to come here; 0 where it was made. */
  readonly hops: number
  /** Hops it may still make. */
  readonly hopLimit: number
  /** Copies this one may still be split into, itself included. */
  copies: number
  /** How much its bringer had brought of late, before it (ME47); without it nothing. */
  readonly rank?: number
}

/** What goes along with a bundle when it changes hands. */
export interface Handover {
  readonly header: BundleHeader
  readonly hops: number
  readonly hopLimit: number
  readonly copies: number
}

/** Most hops a bundle may make: no forged limit makes it travel further (ME3; bitchat uses 7, Reticulum 128). */
export const MAX_HOPS = 64
/** Most copies a bundle may ask for (ME3): a forged budget makes no flood. */
export const MAX_COPIES = 32
/** What a copy says of its way, cut to what any may (ME3). */
export function withinLimits<T extends Pick<Handover, 'hops' | 'hopLimit' | 'copies'>>(copy: T): T {
  const copies = Math.max(1, Math.min(copy.copies, MAX_COPIES))
  return { ...copy, hops: withinHops(copy.hops), hopLimit: withinHops(copy.hopLimit), copies }
}

function withinHops(hops: number): number {
  return Math.max(0, Math.min(hops, MAX_HOPS))
}

/** Clocks of neighbours may differ by so much, in milliseconds: an expiry is taken that is this much too late. */
export const CLOCK_SKEW_MS = 86_400_000
/** Longest life of a bundle, in milliseconds: that of mail, 30 days. */
export const MAX_BUNDLE_LIFE_MS = 30 * 86_400_000
/** A copy with less than a whole minute to live is not passed on: it would arrive too late, and clocks differ. */
const LAST_MINUTE_MS = 60_000

/** @param bundle encoded */
export function bundleId(bundle: Uint8Array, primitives: Pick<Primitives, 'sha256'>): BundleId {
  return hex.encode(primitives.sha256(bundle)) as BundleId
}

const MS_PER_HOUR = 3_600_000

/** What everybody sees of a bundle. @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function bundleHeader(bundle: Uint8Array, primitives: Pick<Primitives, 'sha256'>): BundleHeader {
  return headerOf(decodeBundle(bundle), { id: bundleId(bundle, primitives), bytes: bundle.length }, primitives)
}

/** The same from what a bundle says of itself, as far as that is true. @param whole id and length of the encoded bundle */
export function headerOf(
  { kind, deliveryTag, cureLock, expiryHour, priority }: Omit<BundleFields, 'sealed'>,
  { id, bytes }: { readonly id: BundleId; readonly bytes: number },
  primitives: Pick<Primitives, 'sha256'>,
): BundleHeader {
  return {
    id,
    key: bundleKey(id),
    address: meshAddress(deliveryTag, primitives),
    lock: hex.encode(cureLock),
    expiresAt: expiryHour * MS_PER_HOUR,
    priority,
    bytes,
    ...(kind === 'piece' ? { isPiece: true } : {}),
  }
}

export function bundleKey(id: BundleId): BundleKey {
  return id.slice(0, 16) as BundleKey
}

/** @param tag delivery tag, 16 bytes */
export function meshAddress(tag: Uint8Array, primitives: Pick<Primitives, 'sha256'>): MeshAddress {
  const digest = primitives.sha256(tag)
  return new DataView(digest.buffer, digest.byteOffset).getUint32(0) as MeshAddress
}

/** Whether it is part of a file: goes by routes and carriers only, and behind all else (ME27). */
export function isChunk({ priority }: Pick<BundleHeader, 'priority'>): boolean {
  return priority === CHUNK_PRIORITY
}

/** Whether a copy may still be handed to a carrier; to the recipient itself it may go until it expires. */
export function isRelayable({ expiresAt }: BundleHeader, now: number): boolean {
  return expiresAt - now >= LAST_MINUTE_MS
}

/** Whether a bundle claims to live longer than any may. */
export function isAbsurd({ expiresAt }: BundleHeader, now: number): boolean {
  return expiresAt - now > MAX_BUNDLE_LIFE_MS + CLOCK_SKEW_MS
}
