import { streamPair } from '@libp2p/utils'
import { describe, expect, it } from 'vitest'
import { TriedEnough } from './not-now.ts'
import { agree, consent, type Offer, type UdpCoordinated, udpMessagesOn } from './udp-coordination.ts'

const STUN = 'stun:relay.example:3478'

function side(seed: number, options: Partial<UdpCoordinated> = {}): UdpCoordinated {
  return {
    nonce: new Uint8Array(16).fill(seed),
    stun: [STUN],
    signal: AbortSignal.timeout(20_000),
    sample: async (_stun, token) => ({ stun: STUN, host: `9.9.9.${seed}`, port: 4_000 + seed, mapping: 'same', step: 0, token }),
    // The token that was asked for with one's own nonce.
    isProven: async ({ token }: Offer) => token.every((each) => each === seed),
    requireRoom: () => undefined,
    charge: () => undefined,
    ...options,
  }
}

async function both(a: UdpCoordinated, b: UdpCoordinated) {
  const [left, right] = await streamPair()
  return Promise.allSettled([
    agree(udpMessagesOn(left, a.signal), a).finally(() => left.abort(new Error('over'))),
    consent(udpMessagesOn(right, b.signal), b).finally(() => right.abort(new Error('over'))),
  ])
}

describe('coordination of a UDP punch', { timeout: 30_000 }, () => {
  it('[PT7] each side learns of the other, with proof for its own nonce', async () => {
    const [a, b] = await both(side(1), side(2))
    expect(a).toMatchObject({ status: 'fulfilled', value: { mine: { host: '9.9.9.1' }, theirs: { host: '9.9.9.2', port: 4_002 } } })
    expect(b).toMatchObject({ status: 'fulfilled', value: { mine: { host: '9.9.9.2' }, theirs: { host: '9.9.9.1', port: 4_001 } } })
  })

  it('[PT7] nothing is agreed without proof, on either side', async () => {
    const offered = { stun: STUN, host: '9.9.9.9', port: 53, mapping: 'same' as const, step: 0, token: new Uint8Array(16) }
    const forged = { sample: async () => offered }
    for (const sides of [
      [side(1, forged), side(2)],
      [side(1), side(2, forged)],
    ] as const)
      expect((await both(...sides)).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  })

  it('[PT7] nothing is asked of a relay that is not one of one’s own', async () => {
    let asked = 0
    const elsewhere = side(2, {
      stun: ['stun:elsewhere.example:3478'],
      sample: async () => ((asked += 1), Promise.reject(new Error('asked'))),
    })
    expect((await both(side(1), elsewhere)).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(asked).toBe(0)
  })

  it('[PT8] a side that has sent there often enough says so before the other one has counted this punch', async () => {
    let charged = 0
    const counts = { charge: () => void (charged += 1) }
    const refuse = (): void => {
      throw new TriedEnough()
    }
    expect((await both(side(1, { requireRoom: refuse }), side(2, counts))).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect((await both(side(1, counts), side(2, { charge: refuse }))).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(charged).toBe(0)
    await both(side(1, counts), side(2, counts))
    expect(charged).toBe(2)
  })

  it('[PT7] a relay that does not answer ends it in peace, also when the other side has gone', async () => {
    const silent = side(1, { isProven: () => Promise.reject(new Error('no answer')), sample: () => Promise.reject(new Error('no answer')) })
    expect((await both(silent, side(2))).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  })
})
