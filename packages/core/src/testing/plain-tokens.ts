/** Tokens that cost nothing and hide nothing: for simulations of thousands of messages. */
import { noblePrimitives } from '../e2ee/primitives.ts'
import { SkeinError } from '../errors/index.ts'
import type { Clock } from '../ports/clock.ts'
import type { Random } from '../ports/random.ts'
import type { BlindTokens, TokenIssuer, TokenOrder } from '../ports/tokens.ts'
import { sameBytes } from '../wire/codec.ts'
import { BLINDED_BYTES, TOKEN_BYTES } from '../wire/mailbox.ts'

const PERIOD_MS = 40 * 86_400_000
const text = new TextEncoder()

function macOf(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  return noblePrimitives.hmacSha256(key, nonce)
}

function forged(): SkeinError {
  return new SkeinError('TOKEN_FORGED', 'Tokens were not made as they should have been.')
}

/** The nonce with a byte in front that makes it as long as an element. */
function wrapped(nonce: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(BLINDED_BYTES)
  bytes[0] = 2
  bytes.set(
    nonce.map((byte) => byte ^ 0xff),
    1,
  )
  return bytes
}

export const plainTokens: BlindTokens = {
  order: (random: Random, { key, count }): TokenOrder => {
    const nonces = Array.from({ length: count }, () => random.bytes(32))
    return {
      blinded: nonces.map(wrapped),
      finish: (evaluated, proof) => {
        const expected = macOf(key, Uint8Array.of(...evaluated.flatMap((each) => [...each])))
        if (evaluated.length !== count || !sameBytes(expected, proof.subarray(0, 32))) throw forged()
        return nonces.map((nonce) => tokenOf(key, nonce))
      },
    }
  },
}

function tokenOf(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  const token = new Uint8Array(TOKEN_BYTES)
  token[1] = 1
  token.set(nonce, 2)
  token.set(noblePrimitives.sha256(key), 66)
  token.set(macOf(key, nonce), 98)
  return token
}

/** @param name of the relay: its key follows from it */
export function plainIssuer(name: string, clock: Pick<Clock, 'now'>): TokenIssuer {
  const keyOf = (period: number): Uint8Array => {
    const key = new Uint8Array(BLINDED_BYTES)
    key.set(noblePrimitives.sha256(text.encode(`${name} ${period}`)))
    return key
  }
  const now = (): number => Math.floor(clock.now() / PERIOD_MS)
  return {
    publicKey: () => keyOf(now()),
    issue: (blinded) => {
      if (blinded.some(([first]) => first !== 2)) throw forged()
      const proof = new Uint8Array(96)
      proof.set(macOf(keyOf(now()), Uint8Array.of(...blinded.flatMap((each) => [...each]))))
      return { evaluated: blinded, proof }
    },
    check: (token) => {
      if (token.length !== TOKEN_BYTES) return undefined
      const nonce = token.slice(2, 34)
      const period = [now(), now() - 1].find((each) => sameBytes(tokenOf(keyOf(each), nonce), token))
      return period === undefined ? undefined : { nonce, until: (period + 2) * PERIOD_MS }
    },
  }
}
