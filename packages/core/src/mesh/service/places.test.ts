import { describe, expect, it } from 'vitest'
import { bundle, forward } from '../../testing/mesh-frames.ts'
import { MeshLab } from '../../testing/mesh-lab.ts'
import type { NeighbourSession } from './neighbour-session.ts'
import { IDLE_MS, makePlace, MAX_NEIGHBOURS } from './places.ts'

describe('places among the neighbours', () => {
  it('[ME44] are taken by no crowd for good: a contact gets one, of whoever was of no use for longest', async () => {
    const lab = new MeshLab({ contacts: ['friend', 'crowd 1'] })
    const { service } = await lab.start('ana')
    const crowd = Array.from({ length: MAX_NEIGHBOURS }, (_, at) => lab.intrude(`crowd ${at}`, 'ana'))
    await lab.run(1_000)
    crowd[0]?.say(forward(bundle('cy', { now: lab.clock.now() })))
    await lab.run(100)
    for (const name of ['stranger', 'friend']) lab.intrude(name, 'ana')
    await lab.run(500)
    expect(['friend', 'stranger'].map((name) => service.hasNeighbour(name))).toEqual([true, false])
    expect(service.neighbourCount).toBe(MAX_NEIGHBOURS)
    expect(crowd.map(({ isShed }, at) => (isShed ? at : -1)).filter((at) => at >= 0)).toEqual([2])
    expect(lab.node('ana').offences).toEqual([])
  })

  it('[ME44] are made once by whoever makes way, however many come at that moment', async () => {
    const lab = new MeshLab({ contacts: ['friend', 'another'] })
    const { service } = await lab.start('ana')
    const crowd = Array.from({ length: MAX_NEIGHBOURS }, (_, at) => lab.intrude(`crowd ${at}`, 'ana'))
    await lab.run(1_000)
    for (const name of ['friend', 'another']) lab.intrude(name, 'ana')
    await lab.run(500)
    expect(service.neighbourCount).toBe(MAX_NEIGHBOURS)
    expect(crowd.map(({ isShed }) => isShed).filter(Boolean)).toHaveLength(2)
  })

  it('[ME44] go to a stranger too where somebody has brought nothing for ten minutes', () => {
    const closed: number[] = []
    const sessions = Array.from({ length: MAX_NEIGHBOURS }, (_, at) => ({
      peer: `${at}`,
      usefulAt: 1_000 + at,
      close: () => closed.push(at),
    }))
    const asks = (now: number): boolean =>
      makePlace('stranger', sessions as unknown as readonly NeighbourSession[], { isContact: (peer) => peer === '0', now })
    expect([asks(IDLE_MS + 1_000), asks(IDLE_MS + 1_001)]).toEqual([false, true])
    expect(closed).toEqual([1])
  })
})
