/** One client for all tabs of a browser: whoever leads runs it, the others follow. */
export * from './tab.ts'
