import { describe, expect, it } from 'vitest'
import { control, pair } from '../../testing/mesh-frames.ts'
import { addressOf } from '../../testing/mesh-world.ts'

describe('a neighbour whose words are absurd', () => {
  it('[ME11] news from before any bundle, and a clock that is set back, keep nobody from meeting others', async () => {
    const lab = await pair()
    const mallory = lab.intrude('mallory', 'ana')
    mallory.say(control({ addresses: [7], prospects: [{ address: addressOf(3), value: 2 ** 32 - 1 }] }))
    await lab.run(30_000)
    lab.clock.jump(-3_600_000)
    const friend = lab.intrude('friend', 'ana')
    await lab.run(1_000)
    expect(lab.node('ana').service.hasNeighbour('friend')).toBe(true)
    expect(friend.heard.some(({ kind }) => kind === 'control')).toBe(true)
  })

  it('[ME20] a link that fails as it comes up is no neighbour', async () => {
    const lab = await pair()
    const broken = {
      ...{ mtu: 1_000, cost: 0, isReliable: true, send: async () => true, close: () => undefined },
      async *packets() {},
      get bandwidth(): number {
        throw new Error('the adapter is gone')
      },
    }
    await expect(lab.node('ana').service.attach('odd', broken)).rejects.toThrow('the adapter is gone')
    expect(lab.node('ana').service.hasNeighbour('odd')).toBe(false)
  })
})
