/** Where content lies while it arrives. Runs in the worker. */
import type { UseStore } from 'idb-keyval'
import { asked, pieceKey, piecesRange, privateFolder, settled } from './kept.ts'

export interface ContentPlace {
  /** @throws DOMException QuotaExceededError */
  write(offset: number, bytes: Uint8Array): Promise<void>
  /** What begins at `offset`, where something was written; may be shorter. */
  read(offset: number, length: number): Promise<Uint8Array>
  /** All of it is on the disk. */
  flush(): void
  close(): void
}

/** What workers alone have, and the types of pages do not know. */
interface SyncAccessHandle {
  read(into: Uint8Array, options: { readonly at: number }): number
  write(bytes: Uint8Array, options: { readonly at: number }): number
  flush(): void
  close(): void
}

interface WorkerFileHandle {
  createSyncAccessHandle(): Promise<SyncAccessHandle>
}

/** @throws DOMException while another page has it open */
export async function openContent(name: string, records: UseStore, content: string): Promise<ContentPlace> {
  const folder = canOpenAtOnce() ? await privateFolder(name) : undefined
  return folder === undefined ? inRecords(records, content) : inPrivateFile(folder, content)
}

/** Removes it, wherever it is. */
export async function removeContent(name: string, records: UseStore, content: string): Promise<void> {
  await records('readwrite', (store) => {
    store.delete(piecesRange(content))
    return settled(store)
  })
  const folder = await privateFolder(name)
  await folder?.removeEntry(content).catch((error: unknown) => {
    if (!(error instanceof DOMException && error.name === 'NotFoundError')) throw error
  })
}

function canOpenAtOnce(): boolean {
  return typeof FileSystemFileHandle !== 'undefined' && 'createSyncAccessHandle' in FileSystemFileHandle.prototype
}

async function inPrivateFile(folder: FileSystemDirectoryHandle, content: string): Promise<ContentPlace> {
  const file = (await folder.getFileHandle(content, { create: true })) as unknown as WorkerFileHandle
  const handle = await file.createSyncAccessHandle()
  return {
    write: async (offset, bytes) => {
      const count = handle.write(bytes, { at: offset })
      if (count < bytes.length) throw new DOMException('there is no room', 'QuotaExceededError')
    },
    read: async (offset, length) => {
      const bytes = new Uint8Array(length)
      return bytes.subarray(0, handle.read(bytes, { at: offset }))
    },
    flush: () => handle.flush(),
    close: () => handle.close(),
  }
}

/** Each chunk a record: on an origin that is not secure there is nothing else that outlives the page. */
function inRecords(records: UseStore, content: string): ContentPlace {
  return {
    write: (offset, bytes) =>
      records('readwrite', (store) => {
        store.put(new Blob([bytes as Uint8Array<ArrayBuffer>]), pieceKey(content, offset))
        return settled(store)
      }),
    read: async (offset, length) => {
      const piece = await records('readonly', (store) => asked(store.get(pieceKey(content, offset)) as IDBRequest<Blob | undefined>))
      return piece === undefined ? new Uint8Array() : new Uint8Array(await piece.slice(0, length).arrayBuffer())
    },
    flush: () => undefined,
    close: () => undefined,
  }
}
