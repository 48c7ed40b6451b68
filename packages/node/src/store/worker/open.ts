/** The store of a page: it lives in a worker. */
import { isSkeinError, type Store } from '@skein/core'
import { proxy, type Remote, releaseProxy, wrap } from 'comlink'
import { keepErrorCodes } from './error-transfer.ts'
import type { StoreWorker } from './worker.ts'

export interface PageStore {
  readonly store: Store
  /** Resolves, with what a call of the store failed with, when the browser has deleted the open database. */
  readonly gone: Promise<unknown>
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
  const remote = reach(worker)
  try {
    // Every method of a store is asynchronous, so that its proxy is one.
    const opened = (await Promise.race([remote.open(name, proxy(passphrase)), unloaded(worker)])) as unknown as Store
    const gone = Promise.withResolvers<unknown>()
    const store = watched(opened, (error) => void remote.isGone().then((isGone) => (isGone ? gone.resolve(error) : undefined)))
    const close = async (): Promise<void> => {
      await store.close()
      remote[releaseProxy]()
      worker.terminate()
    }
    return { store, gone: gone.promise, close }
  } catch (error) {
    worker.terminate()
    throw error
  }
}

/** Lets a worker do one thing, and ends it. */
export async function inWorker<T>(worker: Worker, work: (remote: Remote<StoreWorker>) => Promise<T>): Promise<T> {
  try {
    return await Promise.race([work(reach(worker)), unloaded(worker)])
  } finally {
    worker.terminate()
  }
}

function reach(worker: Worker): Remote<StoreWorker> {
  keepErrorCodes()
  return wrap<StoreWorker>(worker)
}

/** A worker whose script cannot be loaded answers nothing. @throws Error with the code `NOT_LOADED` */
function unloaded(worker: Worker): Promise<never> {
  return new Promise((_, reject) =>
    worker.addEventListener('error', () => reject(Object.assign(new Error('the worker was not loaded'), { code: 'NOT_LOADED' })), {
      once: true,
    }),
  )
}

/** The same store; tells of calls that failed because of what is stored. */
function watched(store: Store, onDamage: (error: unknown) => void): Store {
  const methods = store as unknown as Record<string | symbol, (...args: readonly unknown[]) => Promise<unknown>>
  const get = (_: Store, key: string | symbol) => {
    // Not a promise, although a proxy of comlink's has whatever it is asked for.
    if (key === 'then') return undefined
    return async (...args: readonly unknown[]) => {
      try {
        return await methods[key]?.(...args)
      } catch (error) {
        if (isSkeinError(error, 'STORE_CORRUPT')) onDamage(error)
        throw error
      }
    }
  }
  return new Proxy(store, { get })
}
