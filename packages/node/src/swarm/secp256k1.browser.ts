/**
 * Stands in for `@noble/curves/secp256k1.js` in every bundle for browsers. Devices and relays of Skein have Ed25519 keys (docs/spec/identity.md),
 * so nobody should wait for another curve; a peer with a key on it fails the handshake as one with a wrong signature.
 */
function refuse(): never {
  throw new Error('Keys on secp256k1 are not supported; devices of Skein have Ed25519 keys.')
}

export const secp256k1 = {
  sign: refuse,
  verify: refuse,
  getPublicKey: refuse,
  Point: { fromBytes: refuse },
  utils: { randomSecretKey: refuse },
}
