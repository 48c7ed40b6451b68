import type { Clock } from '../../ports/index.ts'
import { type BundleHeader, CLOCK_SKEW_MS, isAbsurd } from '../bundle.ts'
import { NamedRates } from '../rate-limit.ts'

/** Neighbours whose time is remembered, and how many of them have to differ: one alone may be wrong itself. */
const REMEMBERED = 64
const ENOUGH = 2
/** What was said longer ago is forgotten when somebody else says something: clocks go wrong, and people move. */
const VOICE_LIFE_MS = 3_600_000
/** What comes too late from one neighbour without blame while this clock seems wrong, at once and per second (ME43). */
const FORGIVEN = { burst: 1_000, perSecond: 1_000 / 120 } as const

/** Whether a bundle is from another time by this clock: it lives too long, or ended more than a day ago. */
function isOdd(header: BundleHeader, now: number): boolean {
  return isAbsurd(header, now) || header.expiresAt < now - CLOCK_SKEW_MS
}

interface Voice {
  /** Whether what it brought last was from another time. */
  readonly isOdd: boolean
  /** Whether it has brought something that was not, before several others differed. */
  readonly wasSound: boolean
  /** Monotonic milliseconds. */
  readonly at: number
}

export interface ClockDoubtDeps {
  readonly clock: Pick<Clock, 'monotonic'>
  /** Whether a peer is a device of a contact; without it none is. */
  isContact?(peer: string): boolean
}

/**
 * Tells by what neighbours bring, and what they say of what was made here, whether it is this clock that is wrong (ME43).
 * Peer ids cost nothing: contacts, and where none has said anything those that were sound before, are not outvoted by any
 * number of others. One of those alone is no hindrance: its clock may have stopped as ours has.
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
    const contacts = all.filter(([peer]) => this.isContact(peer))
    const sound = all.filter(([, { wasSound }]) => wasSound)
    const known = contacts.length > 0 ? contacts : sound.length >= ENOUGH ? sound : []
    return this.doSeveralDiffer && [all, known].every(mostlyOdd)
  }

  /** Whether a neighbour is not blamed for one thing that came too late. */
  forgives(peer: string): boolean {
    const now = this.deps.clock.monotonic()
    return this.isWrong && this.forgiven.of(peer, now).takes(1, now)
  }

  private get doSeveralDiffer(): boolean {
    return [...this.voices.values()].filter(({ isOdd }) => isOdd).length >= ENOUGH
  }

  private isContact(peer: string): boolean {
    return this.deps.isContact?.(peer) ?? false
  }

  private note(peer: string, odd: boolean): void {
    const now = this.deps.clock.monotonic()
    for (const [each, { at }] of this.voices) if (now - at > VOICE_LIFE_MS) this.voices.delete(each)
    const wasSound = this.voices.get(peer)?.wasSound || (!odd && !this.doSeveralDiffer)
    this.voices.delete(peer)
    if (this.voices.size === REMEMBERED) this.voices.delete(this.leastKnown())
    this.voices.set(peer, { isOdd: odd, wasSound, at: now })
  }

  private leastKnown(): string {
    const voices = [...this.voices]
    const strangers = voices.filter(([peer]) => !this.isContact(peer))
    const [name] = strangers.find(([, { wasSound }]) => !wasSound) ?? strangers[0] ?? voices[0] ?? ['']
    return name
  }
}

function mostlyOdd(voices: readonly (readonly [string, Voice])[]): boolean {
  return voices.length === 0 || 2 * voices.filter(([, { isOdd }]) => isOdd).length > voices.length
}
