/** Messages that may wait for longer than mail lies in a mailbox (DL25): they are left there again before it goes. */
import { dayOf } from '../e2ee/delivery-tags.ts'
import type { DeviceId } from '../ids.ts'
import { type MainPath, MESH_CARRIER } from '../main-path/index.ts'
import type { OutboxRow, StoreWrite } from '../ports/store.ts'

/** Mail lies 30 days: what was sent is left anew each time that so many are over. */
const LEFT_ANEW_DAYS = 29
/** What is given up within this is not left anew any more, milliseconds. */
const SOON_MS = 2 * 86_400_000
const PAGE = 256
const SETTING = 'mail-left-anew'

/** Once a day. @returns devices for which something is to be handed to carriers again */
export async function recallOld(path: MainPath): Promise<readonly DeviceId[]> {
  const { store, clock } = path
  const today = dayOf(clock.now())
  const known = await store.setting(SETTING)
  const last = Number(known ?? today)
  if (known !== null && last === today) return []
  const recalled: DeviceId[] = []
  for (const { device } of await store.outboxDevices()) if (await recallFor(path, device, { last, today })) recalled.push(device)
  await store.commit([{ kind: 'setting.put', key: SETTING, value: String(today) }])
  return recalled
}

async function recallFor(path: MainPath, device: DeviceId, days: { readonly last: number; readonly today: number }): Promise<boolean> {
  const { store } = path
  let found = false
  for (let after = 0; ; ) {
    const rows = await store.outbox(device, after, PAGE)
    after = rows.at(-1)?.seq ?? after
    const old = await Promise.all(rows.map((row) => isOld(path, row, days)))
    const writes = rows.filter((_, at) => old[at]).map(({ message }): StoreWrite => ({ kind: 'outbox.recall', message, device }))
    if (writes.length > 0) await store.commit(writes)
    found ||= writes.length > 0
    if (rows.length < PAGE) return found
  }
}

/** Whether another LEFT_ANEW_DAYS were over since it was sent and between the days of the two looks. */
async function isOld(
  { store, clock }: MainPath,
  { message, carriers, transient, expiresAt }: OutboxRow,
  { last, today }: { readonly last: number; readonly today: number },
): Promise<boolean> {
  if (transient || expiresAt < clock.now() + SOON_MS || carriers.every((each) => each === MESH_CARRIER)) return false
  const sentAt = (await store.message(message, 'out'))?.createdAt ?? (await store.annotation(message))?.at
  if (sentAt === undefined) return false
  const spans = (day: number): number => Math.floor((day - dayOf(sentAt)) / LEFT_ANEW_DAYS)
  return spans(today) > spans(last)
}
