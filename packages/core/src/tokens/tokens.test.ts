import { noblePrimitives } from '../e2ee/primitives.ts'
import { tokensContract } from '../testing/contracts/tokens.ts'
import { plainIssuer, plainTokens } from '../testing/plain-tokens.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import { VoprfIssuer, VoprfTokens } from './index.ts'

tokensContract('VOPRF (P-384, SHA-384)', () => ({
  tokens: new VoprfTokens(noblePrimitives),
  issuer: (issuer, clock) => {
    const seed = noblePrimitives.sha256(new TextEncoder().encode(issuer))
    return new VoprfIssuer({ primitives: noblePrimitives, clock, seed, issuer })
  },
  random: seededRandom(5),
}))

tokensContract('those of simulations', () => ({ tokens: plainTokens, issuer: plainIssuer, random: seededRandom(6) }))
