import type { Clock } from '../../ports/index.ts'
import { type BundleHeader, CLOCK_SKEW_MS, isAbsurd } from '../bundle.ts'
import { NamedRates } from '../rate-limit.ts'

/** Neighbours whose time is remembered, and how many of them have to differ: one alone may be wrong itself. */
const REMEMBERED = 64
const ENOUGH = 2
/** What comes too late from one neighbour without blame while this clock seems wrong, at once and per second (ME43). */
const FORGIVEN = { burst: 1_000, perSecond: 1_000 / 120 } as const

/** Whether a bundle is from another time by this clock: it lives too long, or ended more than a day ago. */
function isOdd(header: BundleHeader, now: number): boolean {
  return isAbsurd(header, now) || header.expiresAt < now - CLOCK_SKEW_MS
}

interface Voice {
  /** Whether what it brought last was from another time. */
  readonly isOdd: boolean
  /** Whether it has ever brought something that was not. */
  readonly wasSound: boolean
}

export interface ClockDoubtDeps {
  readonly clock: Pick<Clock, 'monotonic'>
  /** Whether a peer is a device of a contact; without it none is. */
  isContact?(peer: string): boolean
}

/**
 * Tells by what neighbours bring, and what they say of what was made here, whether it is this clock that is wrong (ME43).
 * Peer ids cost nothing: those that were sound before, and contacts, are not outvoted by any number of others.
 */
export class ClockDoubt {
  private readonly deps: ClockDoubtDeps
  private readonly voices = new Map<string, Voice>()
  private readonly forgiven = new NamedRates(FORGIVEN)

  constructor(deps: ClockDoubtDeps) {
    this.deps = deps
  }

  /** A neighbour has brought this. */
  brought(peer: string, header: BundleHeader, now: number): void {
    this.note(peer, isOdd(header, now))
  }

  /** A neighbour says that something made here comes too late. */
  late(peer: string, { expiresAt }: BundleHeader, now: number): void {
    if (expiresAt - now > CLOCK_SKEW_MS) this.note(peer, true)
  }

  /** Whether most neighbours of late live in another time, and not one alone. */
  get isWrong(): boolean {
    const all = [...this.voices]
    const known = all.filter(([peer, { wasSound }]) => wasSound || this.isContact(peer))
    const contacts = known.filter(([peer]) => this.isContact(peer))
    const differ = all.filter(([, { isOdd }]) => isOdd).length
    return differ >= ENOUGH && [all, known, contacts].every(mostlyOdd)
  }

  /** Whether a neighbour is not blamed for one thing that came too late. */
  forgives(peer: string): boolean {
    const now = this.deps.clock.monotonic()
    return this.isWrong && this.forgiven.of(peer, now).takes(1, now)
  }

  private isContact(peer: string): boolean {
    return this.deps.isContact?.(peer) ?? false
  }

  private note(peer: string, odd: boolean): void {
    const before = this.voices.get(peer)
    this.voices.delete(peer)
    this.voices.set(peer, { isOdd: odd, wasSound: !odd || before?.wasSound === true })
    if (this.voices.size > REMEMBERED) this.voices.delete(this.leastKnown())
  }

  private leastKnown(): string {
    const voices = [...this.voices]
    const [name] = voices.find(([, { wasSound }]) => !wasSound) ?? voices.find(([peer]) => !this.isContact(peer)) ?? voices[0] ?? ['']
    return name
  }
}

function mostlyOdd(voices: readonly (readonly [string, Voice])[]): boolean {
  return voices.length === 0 || 2 * voices.filter(([, { isOdd }]) => isOdd).length > voices.length
}
