/** Delivery proofs: signed statements that a message has come, made only where both sides allow it, checked without a network. */
export * from './check-proof.ts'
export * from './proofs.ts'
export * from './statement.ts'
