import type { AccountId } from '../ids.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store, StoreWrite } from '../ports/store.ts'
import type { FileManifest } from '../wire/manifest.ts'
import { UNASKED_DAY_TIMES, UNASKED_ENTRY_BYTES } from './limits.ts'

/** What is accepted of a contact without asking. */
export interface AutoAccept {
  /** Largest content, in bytes. */
  readonly maxBytes: number
  /** Where it is put; empty for the platform's own place. */
  readonly folder: string
}

const settingOf = (account: AccountId): string => `files.auto.${account}`

/** Null: the user is asked. */
export async function autoAcceptOf(store: Pick<Store, 'setting'>, account: AccountId): Promise<AutoAccept | null> {
  const kept = await store.setting(settingOf(account))
  return kept === null || kept === '' ? null : (JSON.parse(kept) as AutoAccept)
}

export function autoAcceptWrite(account: AccountId, auto: AutoAccept | null): StoreWrite {
  return { kind: 'setting.put', key: settingOf(account), value: auto === null ? '' : JSON.stringify(auto) }
}

/** What it takes on a disk: of many small files more than their bytes. */
export function weightOf({ size, folder }: Pick<FileManifest, 'size' | 'folder'>): number {
  return folder === undefined ? size : size + folder.listBytes + folder.entries * UNASKED_ENTRY_BYTES
}

const DAY_MS = 86_400_000

/** Counts what comes without asking, of each contact by the day (FI50). */
export class Unasked {
  private readonly deps: { readonly store: Pick<Store, 'setting' | 'commit'>; readonly clock: Pick<Clock, 'now'> }
  private last: Promise<unknown> = Promise.resolve()

  constructor(deps: Unasked['deps']) {
    this.deps = deps
  }

  /** Whether it may come too; then it is counted. One after the other: two at once would both have the room for one. */
  take(account: AccountId, weight: number, { maxBytes }: AutoAccept): Promise<boolean> {
    const taking = this.last.then(() => this.count(account, weight, maxBytes))
    this.last = taking.catch(() => undefined)
    return taking
  }

  private async count(account: AccountId, weight: number, maxBytes: number): Promise<boolean> {
    const { store, clock } = this.deps
    const key = `files.unasked.${account}`
    const today = Math.floor(clock.now() / DAY_MS)
    const [day, before = 0] = ((await store.setting(key)) ?? '').split(' ').map(Number)
    const sum = (day === today ? before : 0) + weight
    if (weight > maxBytes || sum > maxBytes * UNASKED_DAY_TIMES) return false
    await store.commit([{ kind: 'setting.put', key, value: `${today} ${sum}` }])
    return true
  }
}
