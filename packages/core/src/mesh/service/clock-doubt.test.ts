import { describe, expect, it } from 'vitest'
import { bundle, forward, pair, transfer } from '../../testing/mesh-frames.ts'
import { MeshLab } from '../../testing/mesh-lab.ts'

const YEAR_MS = 365 * 86_400_000

describe('a clock that is wrong', () => {
  it('[ME43] is told to its owner, and no neighbour shed for it', async () => {
    const lab = await pair()
    const friends = ['cy', 'dee'].map((name) => lab.intrude(name, 'ana'))
    const isTold = (): boolean => lab.node('ana').service.status().clockDiffers
    const now = lab.clock.now()
    lab.clock.jump(-20 * YEAR_MS)
    friends[0]?.say(transfer(bundle('eve', { now, text: 'first' }).bytes))
    await lab.run(500)
    expect(isTold()).toBe(false)
    friends[1]?.say(transfer(bundle('eve', { now, text: 'second' }).bytes))
    await lab.run(500)
    expect(isTold()).toBe(true)
    for (let second = 0; second < 12; second += 1) {
      for (let number = 0; number < 400; number += 1)
        friends[0]?.say(forward(bundle('eve', { now, text: `${second} ${number}`, size: 100 })))
      await lab.run(1_000)
    }
    expect([friends[0]?.isShed, lab.node('ana').offences]).toEqual([false, []])
    lab.clock.jump(20 * YEAR_MS)
    for (const [at, friend] of friends.entries()) friend.say(transfer(bundle('eve', { now, text: `right ${at}` }).bytes))
    await lab.run(500)
    expect(isTold()).toBe(false)
  })

  it('[ME43] shows when others say that what was just made comes too late', async () => {
    const lab = new MeshLab()
    for (const name of ['ana', 'bo', 'cy']) await lab.start(name)
    const late = ['bo', 'cy'].map((name) => lab.intrude(name, 'ana', { answers: 'late' }))
    lab.send('ana', 'eve', 'hello')
    await lab.run(20_000)
    expect(late.map(({ isShed }) => isShed)).toEqual([false, false])
    expect(lab.node('ana').service.status().clockDiffers).toBe(true)
  })
})
