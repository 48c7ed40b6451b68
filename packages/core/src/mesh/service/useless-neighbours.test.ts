import { describe, expect, it } from 'vitest'
import { bundle, control, forward, pair } from '../../testing/mesh-frames.ts'
import { type Intruder, memoryLink, type MeshLab } from '../../testing/mesh-lab.ts'
import { encodeRouteFrame } from '../../wire/mesh-route.ts'
import type { NeighbourFrameFields } from '../../wire/mesh-bundle.ts'
import { encodeLinkPacket } from '../../wire/mesh-packet.ts'

const BLAMED = { peer: 'mallory', code: 'BUDGET_SPENT' }

/** What mallory does each second, until it is shed; the honest beside it stay, and are served. */
async function until(lab: MeshLab, mallory: Intruder, act: (second: number) => void): Promise<number> {
  let second = 0
  for (; !mallory.isShed && second < 60; second += 1) {
    act(second)
    await lab.run(1_000)
  }
  lab.send('ana', 'bo', 'all is well')
  await lab.run(1_000)
  expect(lab.received('bo')).toContain('all is well')
  expect(lab.node('ana').offences).toEqual([BLAMED])
  return second
}

describe('a neighbour that is of no use, below all rates', () => {
  it('[ME41] with copies of one flood, on and on, is shed', async () => {
    const lab = await pair()
    const mallory = lab.intrude('mallory', 'ana')
    const copy = forward(bundle('cy', { now: lab.clock.now(), size: 100 }))
    await until(lab, mallory, () => {
      for (let number = 0; number < 480; number += 1) mallory.say(copy)
    })
    expect(mallory.isShed).toBe(true)
  })

  it('[ME41] with words of what it never gives is shed', async () => {
    const lab = await pair()
    const mallory = lab.intrude('mallory', 'ana')
    await until(lab, mallory, (second) => {
      for (let number = 0; number < 480; number += 1) {
        const key = (second * 480 + number).toString(16).padStart(16, '0')
        mallory.say({ kind: 'route', frame: encodeRouteFrame({ kind: 'notice', key, says: 'here' }) })
      }
    })
    expect(mallory.isShed).toBe(true)
  })

  it('[ME41] with comparisons that lead to nothing is shed', async () => {
    const lab = await pair()
    const mallory = lab.intrude('mallory', 'ana')
    mallory.say(control({ addresses: [7] }))
    const symbols = new Uint8Array(13 * 3).fill(9)
    await until(lab, mallory, (second) => {
      for (let number = 0; number < 400; number += 1)
        mallory.say(control({ sketch: { salt: second * 400 + number, from: 0, symbols, pulls: new Uint8Array(32), depth: 0, share: 0 } }))
    })
    expect(mallory.isShed).toBe(true)
  })

  it('[ME41] with questions that lead to nothing, on and on, is shed', async () => {
    const lab = await pair()
    const mallory = lab.intrude('mallory', 'ana')
    mallory.say(control({ addresses: [7] }))
    await until(lab, mallory, (second) => {
      // As often as anybody may begin, and never more questions than are answered.
      if (second % 5 > 0) return
      mallory.say(
        control({ sketch: { salt: second, from: 0, symbols: new Uint8Array(13 * 3), pulls: new Uint8Array(32), depth: 0, share: 0 } }),
      )
      for (let number = 0; number < 60; number += 1) mallory.say(control({ more: 1 }))
    })
    expect(mallory.isShed).toBe(true)
  })

  it('[ME41] with frames that it begins and never ends is shed', async () => {
    const lab = await pair()
    const [mine, theirs] = memoryLink()
    void lab.node('ana').service.attach('mallory', theirs)
    const begin = (frame: number): void =>
      void mine.send(encodeLinkPacket({ kind: 'fragment', frame, index: 0, count: 2, part: new Uint8Array(100) }))
    for (let frame = 0; frame < 100; frame += 1) begin(frame)
    await lab.run(500)
    expect(lab.node('ana').service.hasNeighbour('mallory')).toBe(false)
    expect(lab.node('ana').offences).toEqual([BLAMED])
  })

  it('[ME41] with copies by the hundred for one that is new is shed', async () => {
    const lab = await pair()
    const mallory = lab.intrude('mallory', 'ana')
    const copy = forward(bundle('cy', { now: lab.clock.now(), size: 100 }))
    await until(lab, mallory, (second) => {
      for (let number = 0; number < 480; number += 1) mallory.say(copy)
      mallory.say(forward(bundle('cy', { now: lab.clock.now(), text: `${second}`, size: 100 })))
    })
    expect(mallory.isShed).toBe(true)
  })

  it('[ME24] [ME41] that asks for one flood again and again is given it once, and shed', async () => {
    const lab = await pair()
    const mallory = lab.intrude('mallory', 'ana')
    const large = bundle('cy', { now: lab.clock.now(), size: 250_000 })
    const wanted: NeighbourFrameFields = {
      kind: 'route',
      frame: encodeRouteFrame({ kind: 'notice', key: large.header.key, says: 'wanted' }),
    }
    mallory.say(forward(large))
    await until(lab, mallory, () => {
      for (let number = 0; number < 450; number += 1) mallory.say(wanted)
    })
    expect(mallory.isShed).toBe(true)
    expect(mallory.heard.filter(({ kind }) => kind === 'route')).toEqual([])
  })

  it('[ME41] and is none with some copies for each that is new', async () => {
    const lab = await pair()
    const friend = lab.intrude('friend', 'ana')
    const copy = forward(bundle('cy', { now: lab.clock.now(), size: 100 }))
    for (let second = 0; second < 20; second += 1) {
      for (let number = 0; number < 300; number += 1) friend.say(copy)
      for (let number = 0; number < 50; number += 1)
        friend.say(forward(bundle('cy', { now: lab.clock.now(), text: `${second} ${number}`, size: 100 })))
      await lab.run(1_000)
    }
    expect([friend.isShed, lab.node('ana').offences]).toEqual([false, []])
  })
})
