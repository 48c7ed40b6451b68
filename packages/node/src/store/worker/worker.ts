/** Runs in a dedicated worker: SQLite and the sealing of keys, off the page's thread. */
import { noblePrimitives, type Store } from '@skein/core'
import { expose, proxy, type ProxyMarked } from 'comlink'
import { browserRandom } from '../../platform/browser.ts'
import { systemClock } from '../../platform/clock.ts'
import { openWasmStore } from '../sqlite-wasm.ts'
import { keepErrorCodes } from './error-transfer.ts'
import { keptImage, privateFiles } from './places.ts'
import { browserStorageKey } from './storage-key.ts'

export interface StoreWorker {
  /**
   * @param name of the identity within the origin
   * @param passphrase asks the user
   * @throws SkeinError STORE_LOCKED, STORE_CORRUPT, DISK_FULL, CONFIG_INVALID
   */
  open(name: string, passphrase: (need: 'new' | 'existing') => Promise<string | undefined>): Promise<Store & ProxyMarked>
}

/** Both go back together with a browser's profile: a mark would tell nothing. */
const NO_MARK = { read: () => 0, write: () => undefined }

const surroundings = { primitives: noblePrimitives, random: browserRandom, clock: systemClock, mark: NO_MARK }

const worker: StoreWorker = {
  open: async (name, passphrase) => {
    const place = (await hasPrivateFiles()) ? privateFiles(name) : await keptImage(name)
    const { store } = await openWasmStore({
      ...surroundings,
      place,
      storageKey: browserStorageKey(name, { ...surroundings, passphrase }),
    })
    return proxy(store)
  },
}

/** Only on a secure origin; some browsers refuse them to private windows when they are asked for. */
async function hasPrivateFiles(): Promise<boolean> {
  if (typeof FileSystemFileHandle === 'undefined' || !('createSyncAccessHandle' in FileSystemFileHandle.prototype)) return false
  return navigator.storage.getDirectory().then(
    () => true,
    () => false,
  )
}

keepErrorCodes()
expose(worker)
