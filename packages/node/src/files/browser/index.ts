/** Files in a browser. */
export { BrowserFiles, type BrowserFilesOptions } from './browser-files.ts'
export { putChosen } from './chosen.ts'
export { fileRecords } from './kept.ts'
export { tidyPage } from './tidying.ts'
export * from './page.ts'
