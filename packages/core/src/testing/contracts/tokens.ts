/** What blind tokens keep, whatever makes them (docs/spec/mailbox.md). */
import { describe, expect, it } from 'vitest'
import type { BlindTokens, Clock, Random, TokenIssuer } from '../../ports/index.ts'
import { BLINDED_BYTES, TOKEN_BYTES } from '../../wire/index.ts'

export interface TokensUnderTest {
  readonly tokens: BlindTokens
  /** An issuer of this name with a key of its own. */
  issuer(name: string, clock: Pick<Clock, 'now'>): TokenIssuer
  readonly random: Random
}

/** Longer than tokens are taken, milliseconds. */
const LONG_MS = 3 * 40 * 86_400_000

export function tokensContract(name: string, open: () => TokensUnderTest): void {
  describe(`blind tokens: ${name}`, () => {
    const begin = (count: number) => {
      const { tokens, issuer, random } = open()
      const clock = { time: 1_800_000_000_000, now: () => clock.time }
      const relay = issuer('relay', clock)
      const order = tokens.order(random, { issuer: 'relay', key: relay.publicKey(), count })
      return { clock, relay, order, issuer }
    }

    it('[MB10] tokens are good at their issuer, each with a nonce of its own, and nowhere else', () => {
      const { relay, order, issuer, clock } = begin(3)
      const answer = relay.issue(order.blinded)
      const tokens = order.finish(answer.evaluated, answer.proof)
      expect(tokens.map((each) => each.length)).toEqual(Array(3).fill(TOKEN_BYTES))
      const nonces = tokens.map((each) => relay.check(each)?.nonce.join())
      expect(new Set(nonces).size).toBe(3)
      expect(nonces).not.toContain(undefined)
      const [token = new Uint8Array()] = tokens
      expect(issuer('another', clock).check(token)).toBeUndefined()
      for (const at of [1, 2, 40, 70, TOKEN_BYTES - 1]) {
        const changed = token.slice()
        changed[at] = (changed[at] ?? 0) ^ 1
        expect(relay.check(changed)).toBeUndefined()
      }
      expect(relay.check(token.slice(1))).toBeUndefined()
      expect(relay.check(token)?.until).toBeGreaterThan(clock.time)
    })

    it('[MB10] what the issuer saw is in no token', () => {
      const { relay, order } = begin(2)
      const answer = relay.issue(order.blinded)
      const [token = new Uint8Array()] = order.finish(answer.evaluated, answer.proof)
      const text = token.join()
      for (const seen of [...order.blinded, ...answer.evaluated]) expect(text).not.toContain(seen.subarray(1).join())
    })

    it('[MB10] an answer under another key, cut short or changed, is refused', () => {
      const { order, relay, issuer, clock } = begin(2)
      const forged = expect.objectContaining({ code: 'TOKEN_FORGED' })
      const other = issuer('another', clock).issue(order.blinded)
      const own = relay.issue(order.blinded)
      expect(() => order.finish(other.evaluated, other.proof)).toThrow(forged)
      expect(() => order.finish(own.evaluated.slice(1), own.proof)).toThrow(forged)
      expect(() => order.finish(own.evaluated.toReversed(), own.proof)).toThrow(forged)
      expect(() => relay.issue([new Uint8Array(BLINDED_BYTES)])).toThrow(forged)
    })

    it('[MB10] a token is taken while its key and the next one are used, then not any more', () => {
      const { order, relay, clock } = begin(1)
      const answer = relay.issue(order.blinded)
      const [token = new Uint8Array()] = order.finish(answer.evaluated, answer.proof)
      clock.time = (relay.check(token)?.until ?? 0) - 1
      expect(relay.check(token)).toBeDefined()
      clock.time += LONG_MS
      expect(relay.check(token)).toBeUndefined()
    })
  })
}
