export { BrowserFiles, type BrowserFilesOptions } from './browser-files.ts'
export { keepChosen, putChosen } from './chosen.ts'
export { openReceived, type ReceivedFile, removeReceived } from './received.ts'
export type { ChosenFile } from './kept.ts'
