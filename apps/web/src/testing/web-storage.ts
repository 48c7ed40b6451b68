/** What a browser keeps for an origin, in memory. */
import { vi } from 'vitest'

/** Stands in for both storages of a page, empty; `vi.unstubAllGlobals` ends it. @returns what is kept, by key */
export function stubStorage(): Map<string, string> {
  const kept = new Map<string, string>()
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
    clear: () => kept.clear(),
  }
  vi.stubGlobal('sessionStorage', storage)
  vi.stubGlobal('localStorage', storage)
  return kept
}
