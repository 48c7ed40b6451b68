/** Places on the local network where somebody says that it can be dialled, and when to dial which: anybody can say so, of any place. */
import { type DeviceId, RateLimit } from '@skein/core'

/** Places that are remembered; the oldest make room. */
export const MAX_PLACES = 256
/** Of one host, which may have several users; the oldest make room. */
export const MAX_PLACES_OF_ONE = 8
/** Dials to places where nobody of ours has answered yet: what a forger on the network can have us send others. */
export const STRANGERS = { burst: 16, perSecond: 16 / 60 } as const
/** A place where nobody answered, or nobody new, is tried again after so long, milliseconds; doubled each time. */
const GREET_AGAIN = { first: 2_000, most: 60_000 } as const
/** Longer than the time between two announcements, milliseconds. */
const SILENT_MS = 8_000

interface Place {
  readonly address: string
  /** Who was there. */
  device: DeviceId | undefined
  /** When it was told of last, monotonic milliseconds. */
  seenAt: number
  dueAt: number
  wait: number
}

export class Places {
  private readonly places = new Map<string, Place>()
  private readonly strangers: RateLimit

  /** @param now monotonic milliseconds, as everywhere here */
  constructor(now: number) {
    this.strangers = new RateLimit(STRANGERS, now)
  }

  /** @param address multiaddr @returns whether it is new */
  seen(address: string, now: number): boolean {
    const known = this.places.get(address)
    if (known === undefined) {
      this.add({ address, device: undefined, seenAt: now, dueAt: 0, wait: GREET_AGAIN.first })
      return true
    }
    // Whoever was silent and speaks again has come back: nobody waits for it as for one who does not answer.
    if (now - known.seenAt > SILENT_MS) Object.assign(known, { dueAt: 0, wait: GREET_AGAIN.first })
    known.seenAt = now
    return false
  }

  /** Where to dial now, those first that failed least; each call counts as a dial. @param isHere whether a device is connected already */
  next(now: number, isHere: (device: DeviceId) => boolean): string | undefined {
    const due = [...this.places.values()].filter(({ dueAt, device }) => dueAt <= now && (device === undefined || !isHere(device)))
    const place = due
      .toSorted((left, right) => left.wait - right.wait)
      .find(({ device }) => device !== undefined || this.strangers.wait(1, now) === 0)
    if (place === undefined) return undefined
    if (place.device === undefined) this.strangers.takes(1, now)
    place.dueAt = now + place.wait
    place.wait = Math.min(place.wait * 2, GREET_AGAIN.most)
    return place.address
  }

  answered(address: string, device: DeviceId): void {
    const place = this.places.get(address)
    if (place !== undefined) Object.assign(place, { device, wait: GREET_AGAIN.first })
  }

  private add(place: Place): void {
    const host = hostOf(place.address)
    const ofOne = [...this.places.keys()].filter((each) => hostOf(each) === host)
    const [oldest] = ofOne.length >= MAX_PLACES_OF_ONE ? ofOne : this.places.keys()
    if (oldest !== undefined && (ofOne.length >= MAX_PLACES_OF_ONE || this.places.size >= MAX_PLACES)) this.places.delete(oldest)
    this.places.set(place.address, place)
  }
}

const hostOf = (address: string): string => address.replace(/\/tcp\/.*$/, '')
