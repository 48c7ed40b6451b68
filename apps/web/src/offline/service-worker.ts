/** Keeps every file of the interface. What is asked of relays and of the page's own server otherwise goes past it. */
import { type PrecacheEntry, Serwist } from 'serwist'

/** Put in by the build: every file with its revision. */
declare const FILES: readonly PrecacheEntry[]

// A new version waits until no page of the old one is open, whose parts it would delete.
new Serwist({
  precacheEntries: [...FILES],
  // What stands behind a `?` changes none of the files.
  precacheOptions: { ignoreURLParametersMatching: [/./] },
  skipWaiting: false,
  clientsClaim: true,
  disableDevLogs: true,
}).addEventListeners()
