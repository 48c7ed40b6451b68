/** What the user has chosen to send, in any tab: kept for the tab that leads, and for the page after a reload. */
import { SkeinError } from '@skein/core'
import { type Chosen, type ChosenFile, chosenKey, fileRecords, settled } from './kept.ts'

/** @param name of the identity @returns what `sendFiles` takes as a path @throws SkeinError DISK_FULL, FILE_UNREADABLE */
export async function keepChosen(name: string, files: readonly ChosenFile[]): Promise<string> {
  const id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
  await putChosen(name, id, files)
  return id
}

/** Under an id of the caller's, in place of what was there. */
export async function putChosen(name: string, id: string, files: readonly ChosenFile[]): Promise<void> {
  try {
    await fileRecords(name)('readwrite', (store) => {
      store.put({ files, at: Date.now() } satisfies Chosen, chosenKey(id))
      return settled(store)
    })
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'QuotaExceededError')
      throw new SkeinError('DISK_FULL', 'The browser has no room for a copy of these files, which it needs until they are sent.', { cause })
    throw new SkeinError('FILE_UNREADABLE', 'These files cannot be read; choose them again.', { cause })
  }
}

export async function discardChosen(name: string, ids: readonly string[]): Promise<void> {
  await fileRecords(name)('readwrite', (store) => {
    for (const id of ids) store.delete(chosenKey(id))
    return settled(store)
  })
}
