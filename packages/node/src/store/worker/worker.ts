/** Runs in a dedicated worker: SQLite and the sealing of keys, off the page's thread. */
import { noblePrimitives, type Store } from '@skein/core'
import { expose, proxy, type ProxyMarked } from 'comlink'
import { browserRandom } from '../../platform/browser.ts'
import { systemClock } from '../../platform/clock.ts'
import { openWasmStore, type WasmPlace } from '../sqlite-wasm.ts'
import { keepErrorCodes } from './error-transfer.ts'
import { placeOf } from './places.ts'
import { browserStorageKey, changeStoragePassphrase, onlyExisting } from './storage-key.ts'

export interface StoreWorker {
  /**
   * @param name of the identity within the origin
   * @param passphrase asks the user
   * @throws SkeinError STORE_LOCKED, STORE_CORRUPT, DISK_FULL, CONFIG_INVALID
   */
  open(name: string, passphrase: (need: 'new' | 'existing') => Promise<string | undefined>): Promise<Store & ProxyMarked>
  /** Whether the browser has deleted the database that is open. */
  isGone(): Promise<boolean>
  /** @param next empty for none @throws SkeinError CONFIG_INVALID when `current` is wrong, STORE_CORRUPT */
  changePassphrase(name: string, current: string, next: string): Promise<void>
}

/** Both go back together with a browser's profile: a mark would tell nothing. */
const NO_MARK = { read: () => 0, write: () => undefined }

const surroundings = { primitives: noblePrimitives, random: browserRandom, clock: systemClock, mark: NO_MARK }

let place: WasmPlace | undefined

const worker: StoreWorker = {
  open: async (name, passphrase) => {
    const chosen = await placeOf(name)
    place = chosen.place
    const key = browserStorageKey(name, { ...surroundings, passphrase })
    const { store } = await openWasmStore({ ...surroundings, place, storageKey: chosen.wasOpened ? onlyExisting(key) : key })
    await chosen.keep()
    return proxy(store)
  },
  isGone: async () => (await place?.isGone?.()) ?? false,
  changePassphrase: (name, current, next) => changeStoragePassphrase(name, { ...surroundings, passphrase: async () => current }, next),
}

keepErrorCodes()
expose(worker)
