/** Neighbours whose number of addresses is remembered; before the fourth nobody is judged. */
const REMEMBERED = 64
const ENOUGH = 4
/** So many times what is usual is a boast: people have more or fewer contacts, and a thief of tags collects what it hears of. */
const BOAST = 8

/** Tells neighbours that claim to be very many recipients: what they say of whom they meet says nothing, and would drown what others say. */
export class Claims {
  private readonly counts: number[] = []

  /** @param addresses that a neighbour claims, counted once for each meeting */
  isBoast(addresses: number): boolean {
    const sorted = this.counts.toSorted((a, b) => a - b)
    const usual = sorted[Math.floor(sorted.length / 2)]
    this.counts.push(addresses)
    if (this.counts.length > REMEMBERED) this.counts.shift()
    return usual !== undefined && sorted.length >= ENOUGH && addresses > BOAST * usual
  }
}
