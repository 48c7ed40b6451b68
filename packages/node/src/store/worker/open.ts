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

/** A worker that has not come so far as to ask for the passphrase, or to open the database, within this does not come at all; ms. */
const OPEN_WITHIN_MS = 60_000
/** For the last commit, ms: a worker that takes longer answers nobody any more. */
const CLOSE_WITHIN_MS = 5_000

/** @throws SkeinError STORE_LOCKED, STORE_CORRUPT, DISK_FULL, CONFIG_INVALID */
export async function openPageStore({ name, worker, passphrase }: PageStoreOptions): Promise<PageStore> {
  const remote = reach(worker)
  // A page that goes, or is frozen, may live on for a while: its files are for the next one.
  const leave = (): void => worker.terminate()
  for (const each of ['pagehide', 'freeze']) globalThis.addEventListener(each, leave, true)
  const stay = (): void => {
    for (const each of ['pagehide', 'freeze']) globalThis.removeEventListener(each, leave, true)
  }
  const silent = silence(OPEN_WITHIN_MS)
  const ask: PageStoreOptions['passphrase'] = (need) => {
    silent.end()
    return passphrase(need)
  }
  try {
    // Every method of a store is asynchronous, so that its proxy is one.
    const opened = (await Promise.race([remote.open(name, proxy(ask)), unloaded(worker), silent.over])) as unknown as Store
    const gone = Promise.withResolvers<unknown>()
    const store = watched(opened, (error) => void remote.isGone().then((isGone) => (isGone ? gone.resolve(error) : undefined)))
    const close = async (): Promise<void> => {
      const late = silence(CLOSE_WITHIN_MS)
      await Promise.race([store.close(), late.over]).finally(() => {
        late.end()
        remote[releaseProxy]()
        stay()
        worker.terminate()
      })
    }
    return { store, gone: gone.promise, close }
  } catch (error) {
    stay()
    worker.terminate()
    throw error
  } finally {
    silent.end()
  }
}

/** `over` rejects after so long, unless it is ended before. */
function silence(ms: number): { readonly over: Promise<never>; end(): void } {
  const { promise, reject } = Promise.withResolvers<never>()
  promise.catch(() => undefined)
  const timer = setTimeout(() => reject(notLoaded('the worker does not answer')), ms)
  return { over: promise, end: () => clearTimeout(timer) }
}

const notLoaded = (message: string): Error => Object.assign(new Error(message), { code: 'NOT_LOADED' })

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
    worker.addEventListener('error', () => reject(notLoaded('the worker was not loaded')), {
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
