/** What this browser keeps for the interface alone: small choices, in localStorage where there is one. */

export const KEYS = {
  theme: 'skein.theme',
  language: 'skein.language',
  name: 'skein.name',
  relay: 'skein.relay',
  account: 'skein.account',
  notify: 'skein.notify',
  /** `yes`: its user has chosen a passphrase; no identity is made here without one. */
  sealed: 'skein.sealed',
} as const
export type KeptKey = (typeof KEYS)[keyof typeof KEYS]

/** `undefined` also where the browser forbids storage. */
export function readKept(key: KeptKey): string | undefined {
  try {
    return globalThis.localStorage.getItem(key) ?? undefined
  } catch {
    return undefined
  }
}

export function forget(key: KeptKey): void {
  try {
    globalThis.localStorage.removeItem(key)
  } catch {
    // Nothing can have been kept.
  }
}

export function keep(key: KeptKey, value: string): void {
  try {
    globalThis.localStorage.setItem(key, value)
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}
