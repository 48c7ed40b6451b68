/** What was received in a browser, for any tab: to look at, to save, to remove. */
import type { UseStore } from 'idb-keyval'
import { removeContent } from './content-place.ts'
import { asked, fileRecords, piecesRange, privateFolder, type Received, receivedKey, settled } from './kept.ts'

export interface ReceivedFile {
  /** Folders and name. */
  readonly path: readonly string[]
  /** On the disk, not in memory; `undefined` for a folder. */
  readonly content: Blob | undefined
  /** Milliseconds since 1970; 0 when unknown. */
  readonly modifiedAt: number
  readonly executable: boolean
}

/** @param name of the identity @param path as the transfer tells it @returns nothing when it was removed */
export async function openReceived(name: string, path: string): Promise<readonly ReceivedFile[]> {
  const records = fileRecords(name)
  const received = await find(records, path)
  if (received === undefined) return []
  const content = await contentOf(name, records, received)
  const own = path.slice(path.lastIndexOf('/') + 1)
  if (received.entries === undefined)
    return [{ path: [own], content: content.slice(0, content.size, received.mediaType), modifiedAt: 0, executable: false }]
  return received.entries.map(({ path: within, kind, offset, size, modifiedAt, executable }) => ({
    path: within,
    modifiedAt,
    executable,
    content: kind === 'folder' ? undefined : content.slice(offset, offset + size),
  }))
}

/** The user has saved it, or does not want it. */
export async function removeReceived(name: string, path: string): Promise<void> {
  const records = fileRecords(name)
  const received = await find(records, path)
  if (received === undefined) return
  await records('readwrite', (store) => {
    store.delete(receivedKey(path))
    return settled(store)
  })
  await removeContent(name, records, received.content)
}

function find(records: UseStore, path: string): Promise<Received | undefined> {
  return records('readonly', (store) => asked(store.get(receivedKey(path)) as IDBRequest<Received | undefined>))
}

async function contentOf(name: string, records: UseStore, { content }: Received): Promise<Blob> {
  const pieces = await records('readonly', (store) => asked(store.getAll(piecesRange(content)) as IDBRequest<Blob[]>))
  if (pieces.length > 0) return new Blob(pieces)
  const file = await (await privateFolder(name))?.getFileHandle(content).catch(() => undefined)
  return (await file?.getFile()) ?? new Blob()
}
