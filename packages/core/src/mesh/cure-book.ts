import { hex } from '@scure/base'
import type { Primitives } from '../ports/index.ts'
import { CURE_KEY_BYTES } from '../wire/mesh.ts'
import { CLOCK_SKEW_MS, MAX_BUNDLE_LIFE_MS } from './bundle.ts'
import type { KeyHalves } from './reconcile/coded-symbols.ts'
import { keyHalves } from './reconcile/reconciliation.ts'

/** A proof that some bundle has arrived: the key whose hash is its lock. */
export interface HeardCure {
  readonly lock: string
  readonly key: Uint8Array
  /** Milliseconds since 1970; the bundle is gone everywhere by then. */
  readonly expiresAt: number
}

export interface Cure extends HeardCure {
  readonly halves: KeyHalves
}

/** Proofs kept at most (ME9): a flooder can make keys that fit nothing, but not push out memory. 40 bytes each at rest. */
export const MAX_CURES = 65_536

/** The lock that a key opens: first 16 bytes of its SHA-256, hex. */
export function cureLock(key: Uint8Array, primitives: Pick<Primitives, 'sha256'>): string {
  return hex.encode(primitives.sha256(key).subarray(0, CURE_KEY_BYTES))
}

/** Expiry is told in whole hours. */
const TELLING_MS = 3_600_000
const CURE_INFO = new TextEncoder().encode('skein cure key v1')

/**
 * The cure key of a session message: only who has sealed or opened the envelope around it can make it. 16 bytes.
 * Two envelopes around one message have one cure.
 */
export function cureKeyOf(message: Uint8Array, primitives: Pick<Primitives, 'sha256'>): Uint8Array {
  const input = new Uint8Array(CURE_INFO.length + message.length)
  input.set(CURE_INFO)
  input.set(message, CURE_INFO.length)
  return primitives.sha256(input).slice(0, CURE_KEY_BYTES)
}

/** What this node knows to have arrived. */
export class CureBook {
  private readonly cures = new Map<string, Cure>()
  /** By what neighbours name them. */
  private readonly named = new Map<string, Cure>()

  /** Whether a proof is not known here, or not for so long: several bundles behind one lock expire at different times. */
  isNews({ lock, expiresAt }: HeardCure, now: number): boolean {
    if (expiresAt <= now || expiresAt > now + MAX_BUNDLE_LIFE_MS + CLOCK_SKEW_MS) return false
    const known = this.cures.get(lock)
    return known === undefined || expiresAt - known.expiresAt >= TELLING_MS
  }

  /** Takes up a proof; `undefined` when it is no news. */
  learn(heard: HeardCure, now: number): Cure | undefined {
    if (!this.isNews(heard, now)) return undefined
    const { lock, key, expiresAt } = heard
    const cure = { lock, key, expiresAt, halves: keyHalves(lock) }
    this.cures.set(lock, cure)
    this.named.set(nameOf(lock), cure)
    if (this.cures.size > MAX_CURES) this.forget(this.cures.keys().next().value as string)
    return cure
  }

  has(lock: string): boolean {
    return this.cures.has(lock)
  }

  /** First halves of the locks: what two nodes compare. */
  keys(): KeyHalves[] {
    return Array.from(this.cures.values(), ({ halves }) => halves)
  }

  /** @param prefix first 8 bytes of a lock, hex */
  byName(prefix: string): Cure | undefined {
    return this.named.get(prefix)
  }

  expire(now: number): void {
    for (const { lock, expiresAt } of this.cures.values()) if (expiresAt <= now) this.forget(lock)
  }

  private forget(lock: string): void {
    this.cures.delete(lock)
    if (this.named.get(nameOf(lock))?.lock === lock) this.named.delete(nameOf(lock))
  }
}

function nameOf(lock: string): string {
  return lock.slice(0, 16)
}
