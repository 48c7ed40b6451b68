/** The store of a page: it lives in a worker. */
import type { Store } from '@skein/core'
import { proxy, releaseProxy, wrap } from 'comlink'
import { keepErrorCodes } from './error-transfer.ts'
import type { StoreWorker } from './worker.ts'

export interface PageStore {
  readonly store: Store
  /** Closes the database and ends the worker. */
  close(): Promise<void>
}

export interface PageStoreOptions {
  /** Of the identity within the origin. */
  readonly name: string
  /** A worker that runs `worker.ts`. */
  readonly worker: Worker
  readonly passphrase: (need: 'new' | 'existing') => Promise<string | undefined>
}

/** @throws SkeinError STORE_LOCKED, STORE_CORRUPT, DISK_FULL, CONFIG_INVALID */
export async function openPageStore({ name, worker, passphrase }: PageStoreOptions): Promise<PageStore> {
  keepErrorCodes()
  const remote = wrap<StoreWorker>(worker)
  try {
    // Every method of a store is asynchronous, so that its proxy is one.
    const store = (await remote.open(name, proxy(passphrase))) as unknown as Store
    const close = async (): Promise<void> => {
      await store.close()
      remote[releaseProxy]()
      worker.terminate()
    }
    return { store, close }
  } catch (error) {
    worker.terminate()
    throw error
  }
}
