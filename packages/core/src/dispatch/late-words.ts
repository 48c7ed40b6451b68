/**
 * What contacts say that asks for more than the commit that takes it in (DL26): kept with that commit until it is done, and done at
 * the next start if the process ended in between.
 */
import { hex } from '@scure/base'
import type { ContactBook } from '../contacts/index.ts'
import type { DeviceId } from '../ids.ts'
import type { ControlEffect } from '../main-path/index.ts'
import type { Logger } from '../ports/logger.ts'
import type { Store, StoredDevice, StoreWrite } from '../ports/store.ts'
import { decodeDeliveryControl, type DeliveryControlFields, encodeDeliveryControl } from '../wire/delivery-control.ts'

/** Words of one device that are kept, the newest: each is done at once, unless the disk is full. */
export const MAX_LATE_WORDS = 16

export interface LateWordsDeps {
  readonly store: Store
  readonly logger: Logger
  readonly book: Pick<ContactBook, 'everyone' | 'devicesOf'>
  /** Does what a word asks for; doing it twice is as good as once. Rejects where it may succeed another time. */
  act(by: StoredDevice, word: DeliveryControlFields): Promise<void>
}

export class LateWords {
  private readonly deps: LateWordsDeps
  private readonly waiting = new Map<DeviceId, readonly string[]>()

  constructor(deps: LateWordsDeps) {
    this.deps = deps
  }

  /** Reads what an earlier run left; before anything new comes. */
  async load(): Promise<void> {
    for (const { device } of this.devices()) {
      const kept = await this.deps.store.setting(settingOf(device))
      if (kept !== null && kept !== '') this.waiting.set(device, kept.split(' '))
    }
  }

  /** Does what an earlier run left. Never throws. */
  async takeUp(): Promise<void> {
    for (const by of this.devices()) for (const word of this.waiting.get(by.device) ?? []) await this.act(by, word)
  }

  /** In the commit that takes the word in. */
  effect(by: StoredDevice, word: DeliveryControlFields): ControlEffect {
    const encoded = hex.encode(encodeDeliveryControl(word))
    this.waiting.set(by.device, [...(this.waiting.get(by.device) ?? []), encoded].slice(-MAX_LATE_WORDS))
    return { writes: [this.write(by.device)], committed: () => void this.act(by, encoded) }
  }

  private devices(): readonly StoredDevice[] {
    const { book } = this.deps
    return book.everyone().flatMap(({ account }) => book.devicesOf(account))
  }

  private async act(by: StoredDevice, word: string): Promise<void> {
    try {
      await this.deps.act(by, decodeDeliveryControl(hex.decode(word)))
      const others = (this.waiting.get(by.device) ?? []).filter((each) => each !== word)
      this.waiting.set(by.device, others)
      await this.deps.store.commit([this.write(by.device)])
    } catch (error) {
      this.deps.logger.warn('word-not-done', { reason: String(error) })
    }
  }

  private write(device: DeviceId): StoreWrite {
    return { kind: 'setting.put', key: settingOf(device), value: (this.waiting.get(device) ?? []).join(' ') }
  }
}

const settingOf = (device: DeviceId): string => `late-words ${device}`
