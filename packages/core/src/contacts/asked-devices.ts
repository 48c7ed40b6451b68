/** Which devices of strangers the user has asked for contact: kept, few, and for a while. */
import type { DeviceId } from '../ids.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store } from '../ports/store.ts'

const SETTING = 'contacts.asked'
/** Devices that are remembered at once (CT10): more than anybody meets in a room; the oldest make room. */
export const MAX_ASKED = 64
/** A yes later than this is a request again (CT10), milliseconds: as long as an invite is good. */
export const ASKED_MS = 7 * 86_400_000

export class AskedDevices {
  private readonly deps: { readonly store: Store; readonly clock: Clock }
  /** Until when each counts, milliseconds since 1970; the one asked first before the others. */
  private until = new Map<DeviceId, number>()

  constructor(deps: { readonly store: Store; readonly clock: Clock }) {
    this.deps = deps
  }

  async load(): Promise<void> {
    const kept = await this.deps.store.setting(SETTING)
    if (kept !== null) this.until = new Map(JSON.parse(kept) as [DeviceId, number][])
  }

  has(device: DeviceId): boolean {
    return (this.until.get(device) ?? 0) > this.deps.clock.now()
  }

  /** Durable when it resolves. */
  async remember(device: DeviceId): Promise<void> {
    const now = this.deps.clock.now()
    const others = [...this.until].filter(([each, until]) => each !== device && until > now)
    this.until = new Map([...others, [device, now + ASKED_MS] as const].slice(-MAX_ASKED))
    await this.save()
  }

  async forget(device: DeviceId): Promise<void> {
    if (this.until.delete(device)) await this.save()
  }

  private async save(): Promise<void> {
    await this.deps.store.commit([{ kind: 'setting.put', key: SETTING, value: JSON.stringify([...this.until]) }])
  }
}
