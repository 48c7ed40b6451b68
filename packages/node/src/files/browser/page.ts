/** For the interface, in any tab: what is to be sent is kept here, and what was received is opened. */
export { base64 } from '@scure/base'
export { MAX_THUMBNAIL_BYTES } from '@skein/core'
export { numberedName } from '@skein/core/files'
export { discardChosen, keepChosen } from './chosen.ts'
export type { ChosenFile } from './kept.ts'
export { openReceived, type ReceivedFile, removeReceived } from './received.ts'
