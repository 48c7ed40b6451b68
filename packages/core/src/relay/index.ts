/**
 * What only a relay needs of core: the service behind `/skein/mailbox/1`, and what its gossip passes on. Apart from the rest,
 * because no page is to load it. Promises: what it spends on strangers is bounded.
 */
export { MAILBOX_BOUNDS, type MailboxBounds } from '../mailbox/bounds.ts'
export * from '../mailbox/mailbox-service.ts'
export * from '../presence/presence-hub.ts'
