/** Up to where the user has deleted a conversation: what another own device still has of it does not come back (DV14). */
import type { AccountId } from '../ids.ts'
import type { Store, StoredMessage, StoreWrite } from '../ports/store.ts'

/** A place in a conversation, by the hybrid clock; both 0 for none. */
export type ClearMark = Pick<StoredMessage, 'hlcMs' | 'hlcCounter'>

export const NEVER_CLEARED: ClearMark = { hlcMs: 0, hlcCounter: 0 }

const settingOf = (account: AccountId): string => `cleared.${account}`

export async function clearMark(store: Pick<Store, 'setting'>, account: AccountId): Promise<ClearMark> {
  const [hlcMs = 0, hlcCounter = 0] = ((await store.setting(settingOf(account))) ?? '0.0').split('.').map(Number)
  return { hlcMs, hlcCounter }
}

export function clearMarkWrite(account: AccountId, { hlcMs, hlcCounter }: ClearMark): StoreWrite {
  return { kind: 'setting.put', key: settingOf(account), value: `${hlcMs}.${hlcCounter}` }
}

/** Whether `mark` reaches as far as `place`. */
export function reaches(mark: ClearMark, place: ClearMark): boolean {
  return place.hlcMs < mark.hlcMs || (place.hlcMs === mark.hlcMs && place.hlcCounter <= mark.hlcCounter)
}
