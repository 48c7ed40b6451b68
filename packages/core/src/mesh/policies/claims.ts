import { bound } from '../neighbourhood.ts'

/** Neighbours whose number of addresses is remembered; before the fourth nobody is judged. */
const REMEMBERED = 64
const ENOUGH = 4
/** So many times what is usual is a boast: people have more or fewer contacts, and a thief of tags collects what it hears of. */
const BOAST = 8
/** Somebody with 40 contacts and their tags of six days is no thief, however few others have. */
const LEAST = 256

/** Tells neighbours that claim to be very many recipients: what they say of whom they meet says nothing, and would drown what others say. */
export class Claims {
  private readonly counts = new Map<string, number>()
  private readonly least: number

  /** @param least addresses that nobody boasts with: contacts times days */
  constructor(least = LEAST) {
    this.least = least
  }

  /** Addresses of one device, in the middle of those met lately, and no more than nobody boasts with; 1 before anybody was. */
  get usual(): number {
    return Math.max(1, middle(this.counts.values()) ?? 1)
  }

  /** Somebody is met. @param who counted once, also if it comes again @returns whether it boasts */
  met(who: string, addresses: number): boolean {
    this.counts.delete(who)
    const isBoast = this.isBoast(addresses)
    // Names cost nothing: a crowd of boasters makes nothing usual beyond this.
    this.counts.set(who, Math.min(addresses, this.least))
    bound(this.counts, REMEMBERED)
    return isBoast
  }

  /** Whether so many are a boast by now. */
  isBoast(addresses: number): boolean {
    return this.counts.size >= ENOUGH && addresses > Math.max(this.least, BOAST * this.usual)
  }
}

function middle(counts: Iterable<number>): number | undefined {
  const sorted = [...counts].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}
