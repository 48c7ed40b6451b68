/** What is done to an identity in a browser while no client of it runs: few ask for it, and load it then. */
import { del, get, set } from 'idb-keyval'
import { openBackup, type OpenedBackup, readBackup, type Restored } from '../backup/index.ts'
import { browserRandom } from '../platform/browser.ts'
import { systemClock } from '../platform/clock.ts'
import { erase } from '../store/worker/erase.ts'
import { inWorker, openPageStore } from '../store/worker/open.ts'
import { PLACE, records, RESTORING, STORAGE_KEY } from '../store/worker/records.ts'
import type { BrowserOptions } from './browser.ts'

/** Where the database of an identity is; nothing before there is one. */
export const placeOf = (name: string): Promise<'files' | 'image' | undefined> => get(PLACE, records(name))

export interface BrowserRestoreOptions extends Pick<BrowserOptions, 'name' | 'startWorker' | 'passphrase'> {
  readonly file: ReadableStream<Uint8Array>
  /** Of the backup. */
  readonly filePassphrase: string
}

/**
 * Puts a backup into an origin in which nobody lives yet, before `openBrowser`. Nothing is left of a try that fails, or, from
 * the next start on, of one that was cut short: the keys of the next one are sealed as that one says.
 * @throws SkeinError BACKUP_DAMAGED, BACKUP_REFUSED, STORE_LOCKED, STORE_CORRUPT, DISK_FULL
 */
export async function restoreInBrowser({ file, filePassphrase, ...place }: BrowserRestoreOptions): Promise<Restored> {
  const opened = await openBackup(file, filePassphrase)
  const kept = records(place.name)
  if ((await get(RESTORING, kept)) !== undefined) await erase(place.name)
  // Where there is a key, somebody lives already.
  if ((await get(STORAGE_KEY, kept)) !== undefined) return intoStore(opened, place)
  await set(RESTORING, true, kept)
  try {
    const restored = await intoStore(opened, place)
    await del(RESTORING, kept)
    return restored
  } catch (error) {
    await erase(place.name).catch(() => undefined)
    throw error
  }
}

async function intoStore(opened: OpenedBackup, place: Pick<BrowserOptions, 'name' | 'startWorker' | 'passphrase'>): Promise<Restored> {
  const page = await openPageStore({ ...place, worker: place.startWorker() })
  try {
    return await readBackup(page.store, opened, { clock: systemClock, random: browserRandom })
  } finally {
    await page.close()
  }
}

/** From now on what is in this browser is nobody's: a start that finds some of it left deletes that first. */
export async function abandonBrowser(name: string): Promise<void> {
  await set(RESTORING, true, records(name))
}

/**
 * Deletes an identity with all that it has in this browser; the page has to be loaded anew afterwards.
 * @throws SkeinError STORE_LOCKED while a client has it open
 */
export async function eraseBrowser(name: string): Promise<void> {
  await erase(name)
}

export interface PassphraseChange extends Pick<BrowserOptions, 'name' | 'startWorker'> {
  /** The one that is in use; empty if there is none. */
  readonly current: string
  /** Empty: the keys are kept as they are from now on. */
  readonly next: string
}

/** Seals the keys anew. @throws SkeinError CONFIG_INVALID when `current` is not the one in use, STORE_CORRUPT */
export async function changePassphrase({ name, startWorker, current, next }: PassphraseChange): Promise<void> {
  await inWorker(startWorker(), (remote) => remote.changePassphrase(name, current, next))
}
