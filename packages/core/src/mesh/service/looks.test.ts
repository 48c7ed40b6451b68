import { afterEach, describe, expect, it, vi } from 'vitest'
import { control, pair } from '../../testing/mesh-frames.ts'
import { MeshNode } from '../mesh-node.ts'

afterEach(() => vi.restoreAllMocks())

describe('what is carried is looked through', () => {
  it('[ME20] once a second while nothing changes, and not as often as a neighbour says nothing', async () => {
    const lab = await pair()
    await lab.run(2_000)
    const looks = vi.spyOn(MeshNode.prototype, 'carriable')
    await lab.run(10_000)
    // Both sides, and after a comparison at once.
    expect(looks.mock.calls.length).toBeLessThan(30)
    const mallory = lab.intrude('mallory', 'ana')
    await lab.run(500)
    looks.mockClear()
    for (let second = 0; second < 5; second += 1) {
      for (let number = 0; number < 450; number += 1) mallory.say(control({}))
      await lab.run(1_000)
    }
    expect(looks.mock.calls.length).toBeLessThan(200)
  })

  it('[ME20] at once when there is something new', async () => {
    const lab = await pair()
    lab.cut('ana', 'bo')
    await lab.run(3_000)
    const friend = lab.intrude('friend', 'ana')
    friend.say(control({ addresses: [7] }))
    await lab.run(2_000)
    lab.send('ana', 'bo', 'new')
    await lab.run(8_000)
    const key = lab.node('ana').service.status().bundles[0]?.key ?? ''
    const asked = friend.heard.filter(({ kind }) => kind === 'control').length
    expect([key === '', asked > 0]).toEqual([false, true])
    expect(friend.heard.some(({ kind }) => kind === 'transfer')).toBe(true)
  })
})
