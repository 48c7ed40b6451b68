/** What a user does to all that Skein has in this browser: loaded when it is asked for. */
import { abandonBrowser, changePassphrase as sealAnew, eraseBrowser, placeOf, restoreInBrowser } from '@skein/node/browser/data'
import { NAME, startWorker, workers } from './connect.ts'
import { forgetDrafts } from './drafts.ts'
import { forget, KEYS } from './kept.ts'
import { loadEmpty } from './route.ts'

/** Deletes all that Skein has in this browser and opens the page as if for the first time. */
export async function beginAnew(): Promise<void> {
  await abandonBrowser(NAME)
  for (const each of workers) each.terminate()
  for (const key of [KEYS.name, KEYS.account, KEYS.sealed]) forget(key)
  // The other tabs let go of what is to be deleted.
  forgetDrafts()
  // Where one does not, the next start goes on with it, or says why it cannot.
  await eraseBrowser(NAME).catch(() => undefined)
  loadEmpty()
}

/** Seals the keys in this browser anew; empty for without. @throws SkeinError CONFIG_INVALID when `current` is wrong */
export async function changePassphrase(current: string, next: string): Promise<void> {
  await sealAnew({ name: NAME, startWorker, current, next })
}

/** Whether all that is here is one image in the browser's database, in place of files. */
export const isImage = async (): Promise<boolean> => (await placeOf(NAME)) === 'image'

export interface BackupFile {
  readonly file: Blob
  readonly passphrase: string
}

/** Puts a backup into this browser, before `connect`. @param sealWith passphrase of the keys here; nothing for none */
export async function restore({ file, passphrase }: BackupFile, sealWith: string | undefined): Promise<void> {
  await restoreInBrowser({ name: NAME, startWorker, passphrase: async () => sealWith, file: file.stream(), filePassphrase: passphrase })
}
