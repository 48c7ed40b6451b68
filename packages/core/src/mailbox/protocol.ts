/** Name of the protocol, for both sides. */
export const MAILBOX_PROTOCOL = '/skein/mailbox/1'
