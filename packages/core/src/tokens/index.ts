/**
 * Blind tokens: Privacy Pass, RFC 9578, type 1 (VOPRF over P-384 with SHA-384, RFC 9497), on the VOPRF of `@noble/curves`.
 * Apart from the rest of core, because pages that leave no mail need not load another curve.
 */
export * from './voprf-tokens.ts'
