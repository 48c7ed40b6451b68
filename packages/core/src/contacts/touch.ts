/** Keeping in touch with every device of a contact (CT5). */
import { backoff } from '../delivery/backoff.ts'
import type { AccountId, DeviceId } from '../ids.ts'
import type { StoredContact } from '../ports/store.ts'
import type { ContactDeps } from './contact-deps.ts'
import { introduce } from './introductions.ts'

/** Waits between tries to reach a contact who is not connected (CT5); whoever comes back announces itself anyway. */
const REACH = { first: 2_000, most: 300_000 }

/** Never more often than this, however often the other side comes and goes (CT5): one that hangs up at once must not spin us. */
const REACH_AGAIN_MS = 500
/** A contact in touch is looked after this often; a lost connection is noticed at once anyway. */
const IN_TOUCH_MS = 15_000

export interface TouchDeps extends ContactDeps {
  /** Announces our presence; true when the device was reached. */
  announceTo(device: DeviceId, relays: readonly string[]): Promise<boolean>
}

/** How the wait before the next try of a device is cut short. */
interface Waiting {
  /** But not below REACH_AGAIN_MS. */
  readonly hurry: AbortController
  readonly atOnce: AbortController
}

export class Touch {
  private readonly deps: TouchDeps
  private readonly stopping = new AbortController()
  private readonly waits = new Map<DeviceId, Waiting>()

  constructor(deps: TouchDeps) {
    this.deps = deps
  }

  stop(): void {
    this.stopping.abort()
    this.hurryAll()
  }

  /** Introduces us to a contact that was just added, and keeps in touch. @returns the contact as it is then */
  async begin(contact: StoredContact): Promise<StoredContact> {
    const { book } = this.deps
    await Promise.all(book.devicesOf(contact.account).map(({ device }) => this.introduceTo(contact.account, device)))
    const now = book.get(contact.account) ?? contact
    this.keep(now)
    return now
  }

  /** A device has come or gone: it is looked after now. */
  hurry(device: DeviceId): void {
    this.waits.get(device)?.hurry.abort()
  }

  /** There is a way that was not there before, and nobody else decides how often that happens: all are looked after at once. */
  hurryAll(): void {
    for (const { hurry, atOnce } of this.waits.values()) for (const each of [hurry, atOnce]) each.abort()
  }

  /** Keeps in touch with every device of the contact until stopped, or until they are a contact no more. */
  keep(contact: StoredContact): void {
    const { book } = this.deps
    if (this.stopping.signal.aborted) return
    for (const { device } of book.devicesOf(contact.account)) {
      if (this.waits.has(device) || !book.isLookedAfter(device)) continue
      this.waits.set(device, waiting())
      void this.keepDevice(contact.account, device)
    }
  }

  private async keepDevice(account: AccountId, device: DeviceId): Promise<void> {
    const { book, swarm, clock, random } = this.deps
    swarm.keep(device, true)
    for (let attempts = 0; !this.stopping.signal.aborted; ) {
      const contact = book.get(account)
      if (contact === undefined || !book.isLookedAfter(device)) break
      const { hurry, atOnce } = waiting()
      this.waits.set(device, { hurry, atOnce })
      attempts = (await this.once(contact, device).catch((error: unknown) => this.missed(error))) ? 0 : attempts + 1
      const wait = attempts === 0 ? IN_TOUCH_MS : backoff(attempts, random, REACH)
      await clock.sleep(REACH_AGAIN_MS, { signal: atOnce.signal })
      await clock.sleep(wait, { signal: hurry.signal })
    }
    swarm.keep(device, false)
    this.waits.delete(device)
  }

  private missed(error: unknown): boolean {
    this.deps.logger.warn('not-in-touch', { reason: String(error) })
    return false
  }

  /** Introduces us where that is still to be done, then announces our presence; true when the device was reached. */
  private async once(contact: StoredContact, device: DeviceId): Promise<boolean> {
    const { book, ownCard, announceTo } = this.deps
    const sent = book.device(device)?.cardSent ?? 0
    const isDue = contact.state === 'pending' || sent < ownCard().issuedAt
    if (isDue && !(await this.introduceTo(contact.account, device))) return false
    return announceTo(device, contact.relays)
  }

  /** Shows our card to a device of the account; true when it answered that it has us as a contact. */
  async introduceTo(account: AccountId, device: DeviceId): Promise<boolean> {
    const contact = this.deps.book.get(account)
    if (contact === undefined) return false
    return introduce(this.deps, contact, device).catch((error: unknown) => {
      this.deps.logger.warn('introduction-failed', { reason: error instanceof Error ? error.message : 'unknown' })
      return false
    })
  }
}

function waiting(): Waiting {
  return { hurry: new AbortController(), atOnce: new AbortController() }
}
