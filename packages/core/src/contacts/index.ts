/** Contacts: the book of them, invites, and the introduction that makes two accounts contacts of each other. */
export * from './adding.ts'
export * from './admissions.ts'
export * from './contact-book.ts'
export * from './contact-deps.ts'
export * from './conversations.ts'
export * from './introductions.ts'
export * from './own-card.ts'
export * from './trust.ts'
