/**
 * End-to-end encryption between two devices: PQXDH, Double Ratchet, sealed envelope (docs/spec/encryption.md). Pure
 * steps, state in and state out, under the session cipher that the main path uses. Unaudited.
 */
export * from './bundle.ts'
export * from './delivery-tags.ts'
export * from './envelope.ts'
export * from './prekey-keeper.ts'
export * from './primitives.ts'
export * from './ratchet-cipher.ts'
export * from './session-cipher.ts'
