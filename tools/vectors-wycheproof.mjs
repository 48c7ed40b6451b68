// Wycheproof files, old and new schemas: what each kind of group asks of the primitives.

const bytes = (text) => new Uint8Array(Buffer.from(text, 'hex'))
const same = (a, b) => a !== null && Buffer.compare(a, b) === 0
const joined = (a, b) => new Uint8Array(Buffer.concat([a, b]))

/** What `compute` gives; `null` also when it throws, which the port allows for wrong lengths. */
function orNull(compute) {
  try {
    return compute()
  } catch {
    return null
  }
}

/** Compares what was computed (`null`: refused) with what the case wants. */
function verdict(result, computed, wanted) {
  if (result === 'invalid') return same(computed, wanted) ? 'accepted an invalid case' : undefined
  if (computed === null) return result === 'acceptable' ? undefined : 'refused a valid case'
  return same(computed, wanted) ? undefined : `computed ${Buffer.from(computed).toString('hex')}`
}

function x25519(group) {
  if (group.curve !== 'curve25519') return { skip: `curve ${group.curve}` }
  return {
    check: (primitives, { private: secret, public: key, shared, result }) =>
      verdict(result, primitives.x25519(bytes(secret), bytes(key)), bytes(shared)),
  }
}

function ed25519(group) {
  // Old files carry the key pair as `key`, new ones the public key alone.
  const { pk, sk, curve } = group.publicKey ?? group.key ?? {}
  if (curve !== 'edwards25519') return { skip: `curve ${curve}` }
  return {
    check: (primitives, { msg, sig, result }) => {
      const valid = result !== 'invalid'
      if (primitives.ed25519Verify(bytes(sig), bytes(msg), bytes(pk)) !== valid)
        return valid ? 'refused a valid case' : 'accepted an invalid case'
      if (sk === undefined) return undefined
      if (!same(primitives.ed25519PublicKey(bytes(sk)), bytes(pk))) return 'another public key'
      return valid && !same(primitives.ed25519Sign(bytes(msg), bytes(sk)), bytes(sig)) ? 'another signature' : undefined
    },
  }
}

const AEADS = { 'CHACHA20-POLY1305': ['aeadSeal', 'aeadOpen'], 'AES-GCM': ['aesGcmSeal', 'aesGcmOpen'] }

function aead(group, algorithm) {
  const { keySize, ivSize, tagSize } = group
  if (AEADS[algorithm] === undefined) return { skip: `algorithm ${algorithm}` }
  if (keySize !== 256 || ivSize !== 96 || tagSize !== 128)
    return { skip: `${algorithm} of other sizes than key 256, nonce 96, tag 128 bits` }
  const [seal, open] = AEADS[algorithm]
  return {
    check: (primitives, { key, iv, aad, msg, ct, tag, result }) => {
      const sealed = joined(bytes(ct), bytes(tag))
      const opened = primitives[open](bytes(key), bytes(iv), sealed, bytes(aad))
      if (result === 'invalid') return opened === null ? undefined : 'opened an invalid case'
      const resealed = primitives[seal](bytes(key), bytes(iv), bytes(msg), bytes(aad))
      return verdict(result, opened, bytes(msg)) ?? verdict(result, resealed, sealed)
    },
  }
}

function hkdf(_, algorithm) {
  if (algorithm !== 'HKDF-SHA-256') return { skip: `algorithm ${algorithm}` }
  return {
    check: (primitives, { ikm, salt, info, size, okm, result }) => {
      const derived = orNull(() => primitives.hkdfSha256(bytes(ikm), bytes(salt), bytes(info), size))
      if (result === 'invalid') return derived === null ? undefined : 'derived what is too long'
      return verdict(result, derived, bytes(okm))
    },
  }
}

function mac(group, algorithm) {
  if (algorithm !== 'HMACSHA256') return { skip: `algorithm ${algorithm}` }
  return {
    check: (primitives, { key, msg, tag, result }) =>
      verdict(result, primitives.hmacSha256(bytes(key), bytes(msg)).subarray(0, group.tagSize / 8), bytes(tag)),
  }
}

/** Wraps a kind of ML-KEM group: only the parameter set that the port has. */
function mlKem(check) {
  return ({ parameterSet }) => (parameterSet === 'ML-KEM-768' ? { check } : { skip: `parameter set ${parameterSet}` })
}

function decapsulation(primitives, { seed, ek, c, K, result }) {
  const shared = orNull(() => primitives.mlKemDecapsulate(bytes(c), bytes(seed)))
  if (result === 'invalid') return shared === null ? undefined : 'decapsulated an invalid case'
  if (ek !== undefined && !same(primitives.mlKemPublicKey(bytes(seed)), bytes(ek))) return 'another public key'
  return verdict(result, shared, bytes(K))
}

function encapsulation(primitives, { m, ek, c, K, result }) {
  const made = primitives.mlKemEncapsulate(bytes(ek), bytes(m))
  if (result === 'invalid') return made === null ? undefined : 'encapsulated to an invalid key'
  return verdict(result, made?.ciphertext ?? null, bytes(c)) ?? verdict(result, made?.shared ?? null, bytes(K))
}

function keyGeneration(primitives, { seed, ek, result }) {
  return verdict(
    result,
    orNull(() => primitives.mlKemPublicKey(bytes(seed))),
    bytes(ek),
  )
}

const formats = () => ({ skip: 'X25519 keys in another format than raw' })

const KINDS = {
  XdhComp: x25519,
  XdhAsnComp: formats,
  XdhJwkComp: formats,
  XdhPemComp: formats,
  EddsaVerify: ed25519,
  AeadTest: aead,
  HkdfTest: hkdf,
  MacTest: mac,
  MLKEMTest: mlKem(decapsulation),
  MLKEMEncapsTest: mlKem(encapsulation),
  MLKEMKeyGen: mlKem(keyGeneration),
  MLKEMDecapsValidationTest: () => ({ skip: 'expanded ML-KEM secret keys: ours is the seed' }),
}

export function isWycheproof(document) {
  return typeof document === 'object' && document !== null && Array.isArray(document.testGroups)
}

export function wycheproofCases({ algorithm, testGroups }) {
  return testGroups.flatMap((group) => {
    const kind = Object.hasOwn(KINDS, group.type) ? KINDS[group.type] : () => ({ skip: `unknown kind of vectors: ${group.type}` })
    const { skip, check } = kind(group, algorithm)
    return group.tests.map((test) => ({ id: test.tcId, skip, check: (primitives) => check(primitives, test) }))
  })
}
