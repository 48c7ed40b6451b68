/** Issuing, taking and checking tokens of type 1 (RFC 9578 §5): nobody can tell which issuance a token came from. */
import { p384_oprf } from '@noble/curves/nist.js'
import { concat } from '../e2ee/key-derivation.ts'
import { SkeinError } from '../errors/index.ts'
import type { Clock } from '../ports/clock.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { BlindTokens, TokenIssuer, TokenOrder } from '../ports/tokens.ts'
import { sameBytes } from '../wire/codec.ts'
import { TOKEN_BYTES } from '../wire/mailbox.ts'

/** The library can evaluate on its own, which its types do not say. */
const voprf = p384_oprf.voprf as typeof p384_oprf.voprf & { evaluate(secretKey: Uint8Array, input: Uint8Array): Uint8Array }
/** RFC 9578 §8.2.1: VOPRF (P-384, SHA-384). */
const TOKEN_TYPE = 1
/** Behind the type: nonce, digest of the challenge, key id; the authenticator follows. */
const NONCE_AT = 2
const NONCE_BYTES = 32
const AUTHENTICATOR_AT = 2 + 32 + 32 + 32
/** A key is used for so long, and its tokens are taken for as long again: they are handed to people who are away. */
export const KEY_PERIOD_MS = 40 * 86_400_000
const KEY_INFO = 'skein token key v1'
const text = new TextEncoder()

type Hash = Pick<Primitives, 'sha256'>

/** RFC 9577 §2.1.1, without a redemption context: type, name of the issuer, and the same name as origin. */
function challengeDigest({ sha256 }: Hash, issuer: string): Uint8Array {
  const name = text.encode(issuer)
  const length = Uint8Array.of(name.length >> 8, name.length & 0xff)
  return sha256(concat(Uint8Array.of(0, TOKEN_TYPE), length, name, Uint8Array.of(0), length, name))
}

function tokenInput(hash: Hash, { nonce, issuer, key }: { nonce: Uint8Array; issuer: string; key: Uint8Array }): Uint8Array {
  return concat(Uint8Array.of(0, TOKEN_TYPE), nonce, challengeDigest(hash, issuer), hash.sha256(key))
}

export class VoprfTokens implements BlindTokens {
  private readonly hash: Hash

  constructor(hash: Hash) {
    this.hash = hash
  }

  order(
    random: Parameters<BlindTokens['order']>[0],
    { issuer, key, count }: { readonly issuer: string; readonly key: Uint8Array; readonly count: number },
  ): TokenOrder {
    const wanted = Array.from({ length: count }, () => {
      const input = tokenInput(this.hash, { nonce: random.bytes(NONCE_BYTES), issuer, key })
      return { input, ...voprf.blind(input, (length = 48) => random.bytes(length)) }
    })
    return { blinded: wanted.map(({ blinded }) => blinded), finish: (evaluated, proof) => finish(wanted, { evaluated, proof, key }) }
  }
}

interface Wanted {
  readonly input: Uint8Array
  readonly blind: Uint8Array
  readonly blinded: Uint8Array
}

/** @throws SkeinError TOKEN_FORGED */
function finish(
  wanted: readonly Wanted[],
  { evaluated, proof, key }: { readonly evaluated: readonly Uint8Array[]; readonly proof: Uint8Array; readonly key: Uint8Array },
): readonly Uint8Array[] {
  if (evaluated.length !== wanted.length) throw forged()
  const items = wanted.map((each, at) => ({ ...each, evaluated: evaluated[at] ?? new Uint8Array() }))
  const outputs = orForged(() => voprf.finalizeBatch(items, key, proof))
  return outputs.map((output, at) => concat(items[at]?.input ?? new Uint8Array(), output))
}

function orForged<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw forged(cause)
  }
}

function forged(cause?: unknown): SkeinError {
  return new SkeinError('TOKEN_FORGED', 'Tokens were not made as they should have been.', { cause })
}

export interface IssuerOptions {
  readonly primitives: Pick<Primitives, 'sha256' | 'hkdfSha256'>
  readonly clock: Pick<Clock, 'now'>
  /** What its keys are made of, 32 bytes. */
  readonly seed: Uint8Array
  /** Name of the relay: its peer id. */
  readonly issuer: string
}

interface PeriodKey {
  readonly secretKey: Uint8Array
  readonly publicKey: Uint8Array
  readonly keyId: Uint8Array
}

export class VoprfIssuer implements TokenIssuer {
  private readonly options: IssuerOptions
  private readonly challenge: Uint8Array
  private readonly keys = new Map<number, PeriodKey>()

  constructor(options: IssuerOptions) {
    this.options = options
    this.challenge = challengeDigest(options.primitives, options.issuer)
  }

  publicKey(): Uint8Array {
    return this.key(this.period()).publicKey
  }

  issue(blinded: readonly Uint8Array[]): { readonly evaluated: readonly Uint8Array[]; readonly proof: Uint8Array } {
    const { secretKey, publicKey } = this.key(this.period())
    return orForged(() => voprf.blindEvaluateBatch(secretKey, publicKey, [...blinded]))
  }

  check(token: Uint8Array): { readonly nonce: Uint8Array; readonly until: number } | undefined {
    if (token.length !== TOKEN_BYTES || token[0] !== 0 || token[1] !== TOKEN_TYPE) return undefined
    const period = this.period()
    const at = [period, period - 1].find((each) => sameBytes(this.key(each).keyId, token.subarray(66, AUTHENTICATOR_AT)))
    if (at === undefined || !sameBytes(this.challenge, token.subarray(34, 66))) return undefined
    const expected = voprf.evaluate(this.key(at).secretKey, token.subarray(0, AUTHENTICATOR_AT))
    if (!sameBytes(expected, token.subarray(AUTHENTICATOR_AT))) return undefined
    return { nonce: token.slice(NONCE_AT, NONCE_AT + NONCE_BYTES), until: (at + 2) * KEY_PERIOD_MS }
  }

  private period(): number {
    return Math.floor(this.options.clock.now() / KEY_PERIOD_MS)
  }

  private key(period: number): PeriodKey {
    const known = this.keys.get(period)
    if (known !== undefined) return known
    const { primitives, seed } = this.options
    const material = primitives.hkdfSha256(seed, new Uint8Array(), text.encode(`${KEY_INFO} ${period}`), 32)
    const pair = voprf.deriveKeyPair(material, text.encode('PrivacyPass'))
    const made = { ...pair, keyId: primitives.sha256(pair.publicKey) }
    this.keys.set(period, made)
    return made
  }
}
