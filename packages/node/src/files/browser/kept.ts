/** What a browser keeps of files: small records in IndexedDB, content in the origin's private files or beside the records. */
import type { PlacedEntry } from '@skein/core'
import { createStore, type UseStore } from 'idb-keyval'
import { filesName } from '../../store/worker/records.ts'

/** One connection each: opening another takes longer than most of what is asked. */
const opened = new Map<string, UseStore>()

/** @param name of the identity within the origin */
export function fileRecords(name: string): UseStore {
  const known = opened.get(name) ?? createStore(filesName(name), 'files')
  opened.set(name, known)
  return known
}

interface Dated {
  /** When it was put there, milliseconds since 1970; older versions did not say. */
  readonly at?: number
}

/** What the user has chosen to send. The browser keeps a copy of the bytes, which outlives the page. */
export interface Chosen extends Dated {
  readonly files: readonly ChosenFile[]
}

export interface ChosenFile {
  /** Folders and name; of a single file the name alone. */
  readonly path: readonly string[]
  /** `undefined` for a folder that has nothing in it. */
  readonly file: File | undefined
}

/** A transfer that is received. */
export interface Receiving extends Dated {
  /** Names the content. */
  readonly content: string
  /** Where it was put, once it was. */
  readonly path: string | undefined
}

/** Of one chunk that was written. */
export interface WrittenChunk {
  readonly leaf: Uint8Array
  readonly moved: number
}

/** What is whole. */
export interface Received extends Dated {
  readonly content: string
  readonly mediaType: string
  /** Of a folder; `undefined` for a single file. */
  readonly entries: readonly PlacedEntry[] | undefined
}

export const chosenKey = (id: string): string => `chosen/${id}`
export const receivingKey = (id: string): string => `receiving/${id}`
export const receivedKey = (path: string): string => `received/${path}`
const DIGITS = 16
export const writtenKey = (id: string, index: number): string => `written/${id}/${String(index).padStart(DIGITS, '0')}`
export const pieceKey = (content: string, offset: number): string => `content/${content}/${String(offset).padStart(DIGITS, '0')}`

export const CHOSEN = chosenKey('')
export const RECEIVING = receivingKey('')
export const RECEIVED = receivedKey('')
export const writtenRange = (id: string): IDBKeyRange => below(`written/${id}/`)
export const piecesRange = (content: string): IDBKeyRange => below(`content/${content}/`)

/** All keys that begin so. */
export function below(prefix: string): IDBKeyRange {
  return IDBKeyRange.bound(prefix, `${prefix}\uffff`)
}

/** Resolves with what a request gives. */
export function asked<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('a record was not read'))
  })
}

/** Resolves when all of it is kept. */
export function settled({ transaction }: IDBObjectStore): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error ?? new Error('records were not kept'))
  })
}

/** The origin's private files of an identity; `undefined` on an origin that has none. */
export async function privateFolder(name: string): Promise<FileSystemDirectoryHandle | undefined> {
  const storage = (globalThis.navigator as Partial<Navigator>).storage
  const root = await storage?.getDirectory?.().catch(() => undefined)
  return root?.getDirectoryHandle(filesName(name), { create: true })
}
