/**
 * End-to-end encryption between two devices: PQXDH, Double Ratchet, sealed envelope (docs/spec/encryption.md). Pure
 * steps, state in and state out, under the session cipher that the main path uses. Unaudited.
 */
export * from './bundle.ts'
export * from './delivery-tags.ts'
export * from './envelope.ts'
export * from './handovers.ts'
export { type HpkeParts, hpkeOn } from './hpke.ts'
export * from './prekey-keeper.ts'
export { isStrictEd25519Key } from './primitives-ed25519.ts'
export { messagePrimitives, type MessagePrimitives } from './primitives-messages.ts'
export * from './ratchet-cipher.ts'
export * from './session-cipher.ts'
