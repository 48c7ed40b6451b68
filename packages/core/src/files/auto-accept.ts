import type { AccountId } from '../ids.ts'
import type { Store, StoreWrite } from '../ports/store.ts'

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
