/**
 * Several devices of one account: linking, the signed list, taking out, and what the devices tell each other. Promises that a list
 * only grows newer, that nobody joins without the user's word on an old device, and that own devices end with the same history.
 */
export type * from './device-lists.ts'
export type * from './link.ts'
export type * from './link-guest.ts'
export type * from './link-host.ts'
export * from './own-devices.ts'
export type * from './own-sync.ts'
