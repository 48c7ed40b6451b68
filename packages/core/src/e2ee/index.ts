/** End-to-end encryption: primitives behind one façade, and the session cipher that the main path uses. */
export * from './primitives.ts'
export * from './session-cipher.ts'
