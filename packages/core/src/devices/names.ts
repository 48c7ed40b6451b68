/** What the owner calls the account's devices: known to these devices alone. */
import type { DeviceId } from '../ids.ts'
import type { Store } from '../ports/store.ts'

export const NAMES_SETTING = 'device-names'

export class DeviceNames {
  private readonly store: Pick<Store, 'setting' | 'commit'>
  private names: Readonly<Record<string, string>> = {}

  constructor(store: Pick<Store, 'setting' | 'commit'>) {
    this.store = store
  }

  async load(): Promise<void> {
    this.names = JSON.parse((await this.store.setting(NAMES_SETTING)) ?? '{}') as Record<string, string>
  }

  of(device: DeviceId): string {
    return this.names[device] ?? ''
  }

  async put(device: DeviceId, name: string): Promise<void> {
    if (name === '' || name === this.names[device]) return
    this.names = { ...this.names, [device]: name }
    await this.store.commit([{ kind: 'setting.put', key: NAMES_SETTING, value: JSON.stringify(this.names) }])
  }
}
