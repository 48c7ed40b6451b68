/** A running Skein node for browsers, and the API its pages use. */
export * from './client/api/contract.ts'
export type * from './client/api/api-client.ts'
export { fromApiError } from './client/api/errors.ts'
export * from './client/browser.ts'
export { openHost } from './client/host/open-host.ts'
export { systemClock } from './platform/clock.ts'
export type { Tab } from './client/tabs/index.ts'
