/** Delivery proofs as files: written by who sent a message, checked by anybody without a network. */
export * from './proof-file.ts'
export { nativePrimitives } from '../platform/primitives.ts'
