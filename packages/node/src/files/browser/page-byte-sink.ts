/** Keeps what is received in a browser until the user saves it. Runs in the worker. */
import { type ByteSink, decodeFolderList, type FileManifest, isSkeinError, type PlacedEntry, type SinkWish, SkeinError } from '@skein/core'
import { LEAF_BYTES, layOut, numberedName, planOf, safeName } from '@skein/core/files'
import type { UseStore } from 'idb-keyval'
import { MAX_NUMBER } from '../constants.ts'
import { diskFull } from '../explain.ts'
import { type ContentPlace, openContent, removeContent } from './content-place.ts'
import {
  asked,
  type Received,
  type Receiving,
  receivedKey,
  receivingKey,
  settled,
  writtenKey,
  type WrittenChunk,
  writtenRange,
} from './kept.ts'

/** Left free for everything else that the browser keeps of this page, in bytes. */
const RESERVE_BYTES = 33_554_432

export class PageByteSink implements ByteSink {
  private readonly records: UseStore
  private readonly wish: SinkWish
  private readonly entries: readonly PlacedEntry[] | undefined
  private readonly receiving: Receiving
  private readonly place: ContentPlace
  /** Of all that there has been room for. */
  private size: number

  private constructor(records: UseStore, wish: SinkWish, opened: { readonly receiving: Receiving; readonly place: ContentPlace }) {
    this.records = records
    this.wish = wish
    this.entries = wish.list === undefined ? undefined : layOut(decodeFolderList(wish.list), wish.manifest.size).entries
    this.receiving = opened.receiving
    this.place = opened.place
    this.size = wish.manifest.size
  }

  /** @param name of the identity @throws SkeinError BAD_FRAME (of the list), DISK_FULL; DOMException while another page has it open */
  static async open(name: string, records: UseStore, wish: SinkWish): Promise<PageByteSink> {
    const receiving = await begin(records, wish.id).catch(explained)
    const place = await openContent(name, records, receiving.content).catch(explained)
    try {
      return new PageByteSink(records, wish, { receiving, place })
    } catch (error) {
      place.close()
      throw error
    }
  }

  async recorded(): Promise<{ readonly leaves: Uint8Array; readonly moved: number }> {
    const range = writtenRange(this.wish.id)
    const [keys, chunks] = await this.records('readonly', (store) =>
      Promise.all([asked(store.getAllKeys(range)), asked(store.getAll(range) as IDBRequest<WrittenChunk[]>)]),
    ).catch(explained)
    const leaves = new Uint8Array(planOf(this.wish.manifest).count * LEAF_BYTES)
    const first = writtenKey(this.wish.id, 0)
    let moved = 0
    for (const [at, chunk] of chunks.entries()) {
      const index = Number(String(keys[at]).slice(first.lastIndexOf('/') + 1))
      if ((index + 1) * LEAF_BYTES <= leaves.length) leaves.set(chunk.leaf, index * LEAF_BYTES)
      moved = Math.max(moved, chunk.moved)
    }
    await requireRoom(this.size - chunks.length * this.wish.manifest.chunkSize)
    return { leaves, moved }
  }

  async grow({ size }: FileManifest): Promise<void> {
    // What has merely ended needs none.
    if (size > this.size) await requireRoom(size - this.size)
    this.size = size
  }

  write(offset: number, bytes: Uint8Array): Promise<void> {
    return this.place.write(offset, bytes).catch(explained)
  }

  record(index: number, leaf: Uint8Array, moved: number): Promise<void> {
    const chunk: WrittenChunk = { leaf: leaf.slice(), moved }
    return this.records('readwrite', (store) => {
      store.put(chunk, writtenKey(this.wish.id, index))
      return settled(store)
    }).catch(explained)
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    return this.place.read(offset, length).catch(explained)
  }

  commit(): Promise<string> {
    return this.putInPlace().catch(explained)
  }

  private async putInPlace(): Promise<string> {
    this.place.flush()
    const { id, folder, manifest } = this.wish
    const { content } = this.receiving
    const received: Received = { content, mediaType: manifest.mediaType, entries: this.entries, at: Date.now() }
    return this.records('readwrite', async (store) => {
      // Who was killed between the name and the note of the transfer finds the name that was given.
      const now = await asked(store.get(receivingKey(id)) as IDBRequest<Receiving | undefined>)
      const path = now?.path ?? (await freePath(store, folder, safeName(manifest.name)))
      store.put(received, receivedKey(path))
      store.put({ ...this.receiving, path } satisfies Receiving, receivingKey(id))
      await settled(store)
      return path
    })
  }

  async close(): Promise<void> {
    this.place.close()
  }
}

/** Removes what is unfinished of a transfer, and what was noted of it. */
export async function forgetReceiving(name: string, records: UseStore, id: string): Promise<void> {
  const known = await records('readwrite', async (store) => {
    const receiving = await asked(store.get(receivingKey(id)) as IDBRequest<Receiving | undefined>)
    store.delete(receivingKey(id))
    store.delete(writtenRange(id))
    await settled(store)
    return receiving
  })
  if (known !== undefined && known.path === undefined) await removeContent(name, records, known.content)
}

/** An origin that is not secure cannot ask: there, it is full when it is full. @param bytes that are still to come */
async function requireRoom(bytes: number): Promise<void> {
  const storage = (globalThis.navigator as Partial<Navigator>).storage
  const { quota, usage = 0 } = (await storage?.estimate?.()) ?? {}
  if (quota !== undefined && quota - usage < bytes + RESERVE_BYTES) throw diskFull()
}

function begin(records: UseStore, id: string): Promise<Receiving> {
  return records('readwrite', async (store) => {
    const known = await asked(store.get(receivingKey(id)) as IDBRequest<Receiving | undefined>)
    if (known !== undefined) return known
    const bytes = crypto.getRandomValues(new Uint8Array(16))
    const content = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
    const receiving: Receiving = { content, path: undefined, at: Date.now() }
    store.put(receiving, receivingKey(id))
    await settled(store)
    return receiving
  })
}

/** `name` or the next number that nothing has: nothing is overwritten (FI16). */
async function freePath(store: IDBObjectStore, folder: string, name: string): Promise<string> {
  for (let count = 1; count <= MAX_NUMBER; count += 1) {
    const path = `${folder}/${numberedName(name, count)}`
    if ((await asked(store.count(receivedKey(path)))) === 0) return path
  }
  throw new SkeinError('FILE_UNREADABLE', 'There are too many files of this name already.')
}

function explained(cause: unknown): never {
  if (isSkeinError(cause)) throw cause
  if (cause instanceof DOMException && cause.name === 'QuotaExceededError') throw diskFull(cause)
  throw cause
}
