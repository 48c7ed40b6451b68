/** The main path: sending and receiving one message, each as one readable sequence. */
export * from './context.ts'
export * from './delivered.ts'
export * from './envelopes.ts'
export * from './receive.ts'
export * from './send.ts'
export * from './stamps.ts'
