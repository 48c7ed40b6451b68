import { describe, expect, it } from 'vitest'
import { bundle, control, forward, pair, primitives, transfer } from '../../testing/mesh-frames.ts'
import { cureKeyOf, MemoryArchive, MeshLab } from '../../testing/mesh-lab.ts'
import { addressOf } from '../../testing/mesh-world.ts'
import { decodeMeshControl } from '../../wire/mesh.ts'
import { cureLock } from '../cure-book.ts'
import { ASKING_RATE } from '../proof-intake.ts'

const HOUR_MS = 3_600_000

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

  it('[ME6] made-up proofs are written a frame at a time, passed on a frame at a time, and cost the victim no neighbour', async () => {
    const lab = await pair()
    const [ana, bo] = [lab.node('ana'), lab.node('bo')]
    const mallory = lab.intrude('mallory', 'ana')
    const expiryHour = Math.ceil(lab.clock.now() / HOUR_MS) + 5
    const key = (number: number) => new Uint8Array(new Uint32Array([number, 1, 2, 3]).buffer)
    mallory.say(control({ cures: Array.from({ length: 2_048 }, (_, number) => ({ key: key(number), expiryHour })) }))
    await lab.run(500)
    expect([ana.archive.writes, bo.archive.writes]).toEqual([1, 1])
    expect(bo.archive.proofs).toHaveLength(2_048)
    // One at a time, as often as the rate of frames allows: those beyond go no further.
    for (let number = 0; number < 1_900; number += 1) mallory.say(control({ cures: [{ key: key(10_000 + number), expiryHour }] }))
    await lab.run(500)
    expect(bo.archive.writes).toBeLessThan(250)
    for (let frame = 1; frame < 20; frame += 1)
      mallory.say(control({ cures: Array.from({ length: 2_048 }, (_, number) => ({ key: key(frame * 100_000 + number), expiryHour })) }))
    await lab.run(500)
    expect(ana.archive.proofs.length).toBeLessThan(8_600)
    expect([...ana.offences, ...bo.offences]).toEqual([])
    // What is awaited counts, however much was made up.
    lab.cut('ana', 'bo')
    lab.send('ana', 'bo', 'true')
    await lab.run(8_000)
    mallory.say(control({ cures: [{ key: cureKeyOf('true'), expiryHour }] }))
    await lab.run(500)
    expect(ana.proven).toEqual(['true'])
  })

  it('[ME7] nodes that have been apart for long come to know the same proofs, share by share', async () => {
    const lab = new MeshLab()
    const archive = new MemoryArchive()
    const key = (number: number) => new Uint8Array(new Uint32Array([number, 1, 2, 3]).buffer)
    await archive.putCures(Array.from({ length: 6_000 }, (_, number) => ({ key: key(number), expiresAt: lab.clock.now() + 50 * HOUR_MS })))
    await lab.start('ana', archive)
    await lab.start('bo')
    lab.connect('ana', 'bo')
    for (let round = 0; round < 20 && lab.node('bo').archive.proofs.length < 6_000; round += 1) await lab.run(15_000)
    expect(lab.node('bo').archive.proofs).toHaveLength(6_000)
    expect([...lab.node('ana').offences, ...lab.node('bo').offences]).toEqual([])
  })

  it('[ME7] whoever asks for the same proofs again and again gets as many as there can be, and no more', async () => {
    const lab = await pair()
    const mallory = lab.intrude('mallory', 'ana')
    const expiryHour = Math.ceil(lab.clock.now() / HOUR_MS) + 5
    mallory.say(control({ cures: [{ key: cureKeyOf('x'), expiryHour }] }))
    await lab.run(500)
    const name = cureLock(cureKeyOf('x'), primitives).slice(0, 16)
    for (let frame = 0; frame < 40; frame += 1) mallory.say(control({ wanted: Array(4_096).fill(name) }))
    await lab.run(1_000)
    const frames = mallory.heard.flatMap((frame) => (frame.kind === 'control' ? [decodeMeshControl(frame.frame)] : []))
    const given = frames.reduce((sum, { cures }) => sum + cures.length, 0)
    expect(given).toBeGreaterThan(0.9 * ASKING_RATE.burst)
    expect(given).toBeLessThanOrEqual(ASKING_RATE.burst + 2 * ASKING_RATE.perSecond)
  })

  it('[ME6] of two bundles behind one lock the later expiry counts', async () => {
    const lab = await pair()
    const mallory = lab.intrude('mallory', 'ana')
    const hour = Math.ceil(lab.clock.now() / HOUR_MS)
    for (const hours of [5, 50, 2]) mallory.say(control({ cures: [{ key: cureKeyOf('x'), expiryHour: hour + hours }] }))
    await lab.run(500)
    expect(lab.node('ana').archive.proofs.map(({ expiresAt }) => expiresAt / HOUR_MS - hour)).toEqual([50])
    lab.clock.jump(6 * HOUR_MS)
    await lab.run(61_000)
    mallory.say(transfer(bundle('cy', { now: lab.clock.now() }).bytes))
    await lab.run(500)
    expect(mallory.heard).toContainEqual(expect.objectContaining({ kind: 'answer', outcome: 'cured' }))
  })

  it('[ME37] who floods what is sound below the rate makes no neighbour shed whoever passes it on', async () => {
    const lab = await pair()
    const mallory = lab.intrude('mallory', 'ana')
    let number = 0
    for (let second = 0; second < 12; second += 1) {
      for (let frame = 0; frame < 450; frame += 1)
        mallory.say(forward(bundle('cy', { now: lab.clock.now(), text: `${(number += 1)}`, size: 100 })))
      for (let own = 0; own < 100; own += 1) lab.send('ana', 'dan', `own ${second} ${own}`)
      await lab.run(1_000)
    }
    expect([...lab.node('ana').offences, ...lab.node('bo').offences]).toEqual([])
    const passed = lab.node('bo').service.status().neighbours[0]?.bytesIn ?? 0
    expect(passed).toBeGreaterThan(0)
    lab.send('ana', 'bo', 'still here')
    await lab.run(1_000)
    expect(lab.received('bo')).toEqual(['still here'])
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
