/**
 * Mailboxes: what a relay that keeps sealed mail does, and how a client leaves and collects mail there. Promises: mail is
 * deleted only after its recipient has committed it; a relay learns tags, sizes and times and cannot tie them to a peer; a
 * mailbox that is lost, or lies, costs nothing that the sender does not make up for.
 */
export { MailboxLink } from './mailbox-link.ts'
export { MAILBOX_PROTOCOL } from './protocol.ts'
export * from './rules.ts'
export { type Origin, type ShareBounds, Shares } from './shares.ts'
