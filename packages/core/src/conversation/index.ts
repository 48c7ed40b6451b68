/** What happens in a conversation beside sending: reactions, edits, what disappears after reading, who is typing, search. */
export * from './conversation-service.ts'
export * from './search-words.ts'
export { TYPING_PROTOCOL } from './typing.ts'
