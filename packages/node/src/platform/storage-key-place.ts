/** What the places have in common where a storage key may be. */

export type KeyStorage = 'auto' | 'keychain' | 'file' | 'passphrase'
export type KeyPlaceName = Exclude<KeyStorage, 'auto'>

/** Something that keeps one key. */
export interface KeyPlace {
  /** @throws SkeinError STORE_CORRUPT (gone or damaged), CONFIG_INVALID (passphrase), TIMED_OUT (keychain does not answer) */
  load(): Promise<Uint8Array>
  /** Durable when it resolves. @returns the key that is there, which is another if somebody was faster; `null`: cannot keep one */
  keep(key: Uint8Array): Promise<Uint8Array | null>
  forget(): Promise<void>
}
