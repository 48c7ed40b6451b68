/** The storage key of a client, as its configuration and its surroundings want it. */
import { resolve } from 'node:path'
import type { Logger } from '@skein/core'
import type { StorageKeySource } from '../store/index.ts'
import { offersKeychain, systemKeychain } from './keychain.ts'
import { nativePrimitives } from './primitives.ts'
import { storageKeySource } from './storage-key.ts'
import type { KeyPlaceName, KeyStorage } from './storage-key-place.ts'
import { systemRandom } from './system.ts'

export interface KeyChoice {
  readonly dataDir: string
  /** The folder a node of this user has when none is named. */
  readonly defaultDataDir: string
  readonly keyStorage: KeyStorage
  readonly env: NodeJS.ProcessEnv
  /** Asks at the terminal, if there is one. */
  readonly askPassphrase?: ((need: 'new' | 'existing') => Promise<string | undefined>) | undefined
  readonly logger: Logger
}

export function clientStorageKey(choice: KeyChoice): StorageKeySource {
  const { dataDir, keyStorage, env, askPassphrase, logger } = choice
  return storageKeySource({
    dataDir,
    keyStorage,
    preferred: preferredPlace(choice),
    passphrase: async (need) => env['SKEIN_PASSPHRASE'] || askPassphrase?.(need),
    keychain: systemKeychain({ env }),
    primitives: nativePrimitives,
    random: systemRandom,
    logger,
  })
}

/**
 * A passphrase that is given is meant to be used. The keychain is for a user's own node: one whose folder was named
 * may be a test, a second identity or a server, must be complete in that folder, and should leave no entries behind.
 */
export function preferredPlace({ dataDir, defaultDataDir, env }: KeyChoice): KeyPlaceName {
  if (env['SKEIN_PASSPHRASE']) return 'passphrase'
  return resolve(dataDir) === resolve(defaultDataDir) && offersKeychain({ env }) ? 'keychain' : 'file'
}
