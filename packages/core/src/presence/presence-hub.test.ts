import { beforeEach, describe, expect, it } from 'vitest'
import { noblePrimitives as primitives } from '../e2ee/primitives.ts'
import { type Identity, makeIdentity, openIdentity } from '../identity/index.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import { VirtualClock } from '../testing/virtual-clock.ts'
import { encodePresenceFrame } from '../wire/presence.ts'
import type { SignedBytes } from '../wire/signed.ts'
import { PresenceHub } from './presence-hub.ts'
import { communityNetwork, signPresence } from './statements.ts'

const identity = (seed: number): Identity => openIdentity(primitives, makeIdentity(seededRandom(seed), 1))
const [relay, ana, bo] = [identity(1), identity(2), identity(3)]
const network = communityNetwork(primitives, relay.device)

describe('the hub of a relay', () => {
  const clock = new VirtualClock()
  let hub: PresenceHub
  let verified: number

  beforeEach(() => {
    hub = new PresenceHub({ primitives, clock, relay: relay.device })
    verified = 0
  })

  const mayVerify = (): boolean => {
    verified += 1
    return true
  }
  const presence = (who: Identity, { at = clock.now(), of = network } = {}): SignedBytes =>
    signPresence(primitives, who, { network: of, at, name: '', lease: 0 })
  const alone = (own: SignedBytes): Uint8Array => encodePresenceFrame({ kind: 'presence', own })
  const refresh = (own: SignedBytes, ...heard: SignedBytes[]): Uint8Array =>
    encodePresenceFrame({ kind: 'refresh', own, heard: heard.map((signed) => ({ signed, age: 0 })) })
  const forged = ({ statement, signature }: SignedBytes): SignedBytes => ({ statement, signature: signature.map((byte) => byte ^ 1) })

  it('[RL31] passes on what is genuine, checking each signature once, and nothing twice', () => {
    const [first, second] = [presence(ana), presence(bo)]
    expect(hub.judge(alone(first), mayVerify)).toBe('accept')
    expect(hub.judge(alone(first), mayVerify)).toBe('ignore')
    expect(hub.judge(refresh(second, first), mayVerify)).toBe('accept')
    expect(hub.judge(refresh(presence(ana, { at: clock.now() + 1 }), second), mayVerify)).toBe('accept')
    expect(verified).toBe(3)
  })

  it('[RL31] rejects what is forged, also among what is repeated, and what belongs elsewhere', () => {
    for (const bad of [
      alone(forged(presence(ana))),
      refresh(presence(ana), forged(presence(bo))),
      alone(presence(bo, { of: communityNetwork(primitives, ana.device) })),
      Uint8Array.of(1, 2, 3),
    ])
      expect(hub.judge(bad, mayVerify)).toBe('reject')
  })

  it('[RL31] ignores who is off by its clock, and what may not be checked now', () => {
    expect(hub.judge(alone(presence(ana, { at: clock.now() - 3_600_000 })), mayVerify)).toBe('ignore')
    expect(hub.judge(alone(presence(ana)), () => false)).toBe('ignore')
    expect(hub.judge(alone(presence(ana)), mayVerify)).toBe('accept')
  })
})
