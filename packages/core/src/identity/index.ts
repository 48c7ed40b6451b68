/**
 * Who is who: account and device keys, the signed device list, contact cards, invites and safety numbers. Pure:
 * everything is signed and verified here, nothing is stored or sent.
 */
export * from './contact-card.ts'
export * from './device-list.ts'
export * from './identity.ts'
export * from './invite.ts'
export * from './records.ts'
export * from './safety-number.ts'
