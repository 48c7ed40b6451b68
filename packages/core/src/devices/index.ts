/**
 * Several devices of one account: linking, the signed list, taking out, and what the devices tell each other. Promises that a list
 * only grows newer, that nobody joins without the user's word on an old device, and that own devices end with the same history.
 */
export * from './device-lists.ts'
export * from './handshake.ts'
export * from './link.ts'
export type * from './link-guest.ts'
export * from './link-host.ts'
export { LINK_PROTOCOL, LinkTalk } from './link-talk.ts'
export * from './own-devices.ts'
export * from './own-sync.ts'
