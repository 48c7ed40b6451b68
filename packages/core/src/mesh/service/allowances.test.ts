import { describe, expect, it } from 'vitest'
import { bundle, control, forward, pair } from '../../testing/mesh-frames.ts'
import { VirtualClock } from '../../testing/virtual-clock.ts'
import { Allowances, FRAME_RATE, LINK_RATE, TIMED_OUT_COSTS } from './allowances.ts'

describe('what a neighbour may send and cost', () => {
  it('[ME19] [ME37] a new link begins no rate anew: neither what is read, nor what goes on to all others', async () => {
    const lab = await pair()
    const before = lab.node('bo').service.status().neighbours[0]?.bytesIn ?? 0
    let number = 0
    for (let time = 0; time < 4; time += 1) {
      const mallory = lab.intrude('mallory', 'ana')
      for (let frame = 0; frame < 240; frame += 1)
        mallory.say(forward(bundle('cy', { now: lab.clock.now(), text: `${(number += 1)}`, size: 1_000 })))
      for (let frame = 0; frame < 1_800; frame += 1) mallory.say(control({}))
      await lab.run(600)
      mallory.leave()
    }
    const passed = (lab.node('bo').service.status().neighbours[0]?.bytesIn ?? 0) - before
    // An eighth of what may be sent at once, and of a second.
    expect(passed / 1_200).toBeLessThan((FRAME_RATE.burst + 4 * FRAME_RATE.perSecond) / 8)
    expect(passed / 1_200).toBeGreaterThan(FRAME_RATE.burst / 16)
    expect(lab.node('ana').offences).toContainEqual({ peer: 'mallory', code: 'BUDGET_SPENT' })
    lab.send('ana', 'bo', 'all is well')
    await lab.run(1_000)
    expect(lab.received('bo')).toEqual(['all is well'])
  })

  it('[ME19] whoever comes and goes all the time is turned away, and others are not', async () => {
    const lab = await pair()
    let greeted = 0
    for (let time = 0; time < 3 * LINK_RATE.burst; time += 1) {
      const flapping = lab.intrude('flapping', 'ana')
      await lab.run(50)
      if (flapping.heard.length > 0) greeted += 1
      flapping.leave()
    }
    expect(greeted).toBeGreaterThanOrEqual(LINK_RATE.burst)
    expect(greeted).toBeLessThanOrEqual(LINK_RATE.burst + 1)
    const friend = lab.intrude('friend', 'ana')
    await lab.run(50)
    expect(friend.heard).not.toEqual([])
  })

  it('[ME41] what was wasted is forgiven in time', async () => {
    const clock = new VirtualClock(0)
    const allowances = new Allowances(clock)
    const wastes = (): boolean => allowances.mayWaste('peer', TIMED_OUT_COSTS)
    expect(Array.from({ length: 6 }, wastes)).toEqual([true, true, true, true, true, false])
    expect([allowances.mayAttach('peer'), allowances.mayAttach('another')]).toEqual([false, true])
    await clock.advance(120_000)
    expect([allowances.mayAttach('peer'), wastes(), wastes()]).toEqual([true, true, false])
  })
})
