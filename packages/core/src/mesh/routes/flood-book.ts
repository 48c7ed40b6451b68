import type { LinkId } from '../neighbour.ts'

/** How long a bundle that somebody has announced may take to come by itself, milliseconds (ME24). */
const PULL_AFTER_MS = 20
/** Announced bundles that are waited for (ME24), and links remembered for each. */
const MAX_MISSING = 4_096
const MAX_SOURCES = 3
/** Frames kept for who asks, in bytes and milliseconds (ME24). */
const MAX_RECENT_BYTES = 4 * 1_048_576
const RECENT_MS = 5_000

interface Missing {
  readonly sources: LinkId[]
  /** Those of them that were asked. */
  readonly asked: LinkId[]
  dueAt: number
}

/** Below this share of useful copies a word is sent instead of the bundle (ME24). */
const WORTH_SENDING = 0.25
/** So many copies say nothing yet. */
const FEW = 4
/** Copies that are remembered of each hop and link; beyond, older ones count half. */
const MAX_COUNTED = 32

interface Tally {
  sent: number
  surplus: number
}

interface Passed {
  readonly bytes: Uint8Array
  /** Nothing for what did not flood. */
  readonly hop: number | undefined
  readonly at: number
  /** Links over which it was named, and not asked for yet. */
  readonly named: Set<LinkId>
}

/**
 * What is known of floods: how often a neighbour lacked what came to it over a link after so many hops, what was announced
 * and has not come, and what has passed lately. Near its maker nearly every copy is useful, far from it nearly none.
 */
export class FloodBook {
  /** By link, then by hops made. */
  private readonly tallies = new Map<LinkId, Map<number, Tally>>()
  private readonly announcedKeys = new Map<string, Missing>()
  private readonly passed = new Map<string, Passed>()
  private passedBytes = 0

  /** Whether a neighbour is likely to lack what comes over `link` after `hop` hops. */
  isWorthSending(hop: number, link: LinkId): boolean {
    const { sent, surplus } = this.tally(hop, link)
    return sent < FEW || 1 - surplus / sent >= WORTH_SENDING
  }

  /** A copy, or a word instead of one, has gone to a neighbour; a word counts as surplus until the neighbour asks. */
  count(hop: number, link: LinkId, surplus: 0 | 1): void {
    const tally = this.tally(hop, link)
    tally.sent += 1
    tally.surplus += surplus
    if (tally.sent > MAX_COUNTED) halve(tally)
  }

  /** A neighbour says that it had a bundle already, or that it lacks it. */
  correct(key: string, link: LinkId, by: 1 | -1): void {
    const passed = this.passed.get(key)
    if (passed?.hop === undefined) return
    const tally = this.tally(passed.hop, link)
    tally.surplus = Math.max(0, Math.min(tally.sent, tally.surplus + by))
  }

  /** A link is gone: the graph is a little different, and what was learned of the other links counts half. */
  drop(link: LinkId): void {
    this.tallies.delete(link)
    for (const hops of this.tallies.values()) for (const tally of hops.values()) halve(tally)
  }

  announced(key: string, { link, now }: { readonly link: LinkId; readonly now: number }): void {
    const known = this.announcedKeys.get(key)
    if (known !== undefined) {
      if (known.sources.length < MAX_SOURCES && ![...known.sources, ...known.asked].includes(link)) known.sources.push(link)
      return
    }
    if (this.announcedKeys.size < MAX_MISSING) this.announcedKeys.set(key, { sources: [link], asked: [], dueAt: now + PULL_AFTER_MS })
  }

  /** Whether anything that was announced is waited for. */
  get isWaiting(): boolean {
    return this.announcedKeys.size > 0
  }

  arrived(key: string): void {
    this.announcedKeys.delete(key)
  }

  /** What is to be asked for now, and whom: each that has announced it, one after the other. @param idle is told of each that has not given it */
  missing(now: number, idle: (link: LinkId) => void = () => undefined): { readonly key: string; readonly link: LinkId }[] {
    const due: { key: string; link: LinkId }[] = []
    for (const [key, waiting] of this.announcedKeys) {
      if (waiting.dueAt > now) continue
      const link = waiting.sources.shift()
      waiting.dueAt = now + PULL_AFTER_MS
      if (link === undefined) {
        this.announcedKeys.delete(key)
        waiting.asked.forEach(idle)
        continue
      }
      waiting.asked.push(link)
      due.push({ key, link })
    }
    return due
  }

  keep(key: string, frame: Omit<Passed, 'named'>): void {
    const named = this.passed.get(key)?.named ?? new Set<LinkId>()
    this.forget(key)
    this.passed.set(key, { ...frame, named })
    this.passedBytes += frame.bytes.length
    for (const [first, { at }] of this.passed) {
      if (this.passedBytes <= MAX_RECENT_BYTES && frame.at - at < RECENT_MS) return
      this.forget(first)
    }
  }

  /** What is kept has been named to a neighbour, which may ask for it once. */
  name(key: string, link: LinkId): void {
    this.passed.get(key)?.named.add(link)
  }

  /** A neighbour asks for a frame; nothing for one that has not passed lately, or was not named to it since it asked last. */
  asked(key: string, { link, now }: { readonly link: LinkId; readonly now: number }): Uint8Array | undefined {
    const passed = this.passed.get(key)
    return passed?.named.delete(link) && now - passed.at < RECENT_MS ? passed.bytes : undefined
  }

  private tally(hop: number, link: LinkId): Tally {
    const hops = this.tallies.get(link) ?? new Map<number, Tally>()
    const tally = hops.get(hop) ?? { sent: 0, surplus: 0 }
    this.tallies.set(link, hops.set(hop, tally))
    return tally
  }

  private forget(key: string): void {
    this.passedBytes -= this.passed.get(key)?.bytes.length ?? 0
    this.passed.delete(key)
  }
}

function halve(tally: Tally): void {
  tally.sent /= 2
  tally.surplus /= 2
}
