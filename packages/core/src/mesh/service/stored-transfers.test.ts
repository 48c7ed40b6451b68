import { describe, expect, it } from 'vitest'
import { bundle, control, pair, transfer } from '../../testing/mesh-frames.ts'
import { type Intruder, MeshLab } from '../../testing/mesh-lab.ts'
import { PROOF_RATE } from '../proof-intake.ts'
import { LEAST_CHARGE_BYTES } from './archived-store.ts'
import { STORING_RATE } from './storing-turns.ts'
import { NEIGHBOUR_SHARE } from './archived-store.ts'

const HOUR_MS = 3_600_000

/** Bundles of less than a thousand bytes, for somebody who is not there. */
function hand(intruder: Intruder, lab: MeshLab, count: number): void {
  const now = lab.clock.now()
  for (let number = 0; number < count; number += 1) intruder.say(transfer(bundle('cy', { now, text: `${number}`, size: 600 }).bytes))
}

const outcomes = ({ heard }: Intruder) => heard.flatMap((frame) => (frame.kind === 'answer' ? [frame.outcome] : []))

describe('what neighbours have stored', () => {
  it('[ME20] is bounded in number as in bytes: the smallest bundle counts for 2 KiB', async () => {
    const lab = await pair({ capacityBytes: 400_000 })
    const mallory = lab.intrude('mallory', 'ana', { answers: 'no-room' })
    hand(mallory, lab, 300)
    await lab.run(2_000)
    const most = Math.floor((NEIGHBOUR_SHARE * 400_000) / LEAST_CHARGE_BYTES)
    expect(lab.node('ana').archive.held.size).toBe(most)
    expect(lab.node('ana').service.status().usedBytes).toBe(most * LEAST_CHARGE_BYTES)
  })

  it('[ME20] is written at a rate, and one that does not wait for its answer is told to come again', async () => {
    const lab = await pair()
    const mallory = lab.intrude('mallory', 'ana', { answers: 'no-room' })
    hand(mallory, lab, 1_500)
    await lab.run(1_000)
    expect(lab.node('ana').archive.held.size).toBeLessThanOrEqual(STORING_RATE.burst + STORING_RATE.perSecond)
    expect(outcomes(mallory).filter((outcome) => outcome === 'busy').length).toBeGreaterThan(900)
    // Another link is no other neighbour.
    mallory.leave()
    await lab.run(1_000)
    const again = lab.intrude('mallory', 'ana', { answers: 'no-room' })
    hand(again, lab, 1_500)
    await lab.run(1_000)
    expect(lab.node('ana').archive.held.size).toBeLessThanOrEqual(STORING_RATE.burst + 3 * STORING_RATE.perSecond + 1)
  })

  it('[ME20] comes through, however much it is, from a neighbour that waits for its answers', async () => {
    const lab = new MeshLab()
    for (const name of ['ana', 'mule']) await lab.start(name)
    for (let number = 0; number < STORING_RATE.burst + 200; number += 1) lab.send('ana', 'bo', `patience ${number}`)
    await lab.run(1_000)
    lab.connect('ana', 'mule')
    await lab.run(30_000)
    expect(lab.node('mule').archive.held.size).toBe(STORING_RATE.burst + 200)
  })

  it('[ME6] proofs of what nobody has here are let in at a rate that a new link does not begin anew', async () => {
    const lab = await pair()
    const hour = Math.ceil(lab.clock.now() / HOUR_MS)
    const key = (number: number) => new Uint8Array(new Uint32Array([number, 4, 5, 6]).buffer)
    let number = 0
    for (let round = 0; round < 3; round += 1) {
      const mallory = lab.intrude('mallory', 'ana')
      for (let frame = 0; frame < 4; frame += 1)
        mallory.say(control({ cures: Array.from({ length: 2_000 }, () => ({ key: key((number += 1)), expiryHour: hour + 5 })) }))
      await lab.run(500)
      mallory.leave()
      await lab.run(500)
    }
    expect(lab.node('ana').archive.proofs.length).toBeLessThanOrEqual(PROOF_RATE.burst + 3 * PROOF_RATE.perSecond)
  })
})

describe('a link that comes again', () => {
  it('[ME20] names what is carried and gives what is lacked: with equal stores next to nothing goes', async () => {
    const lab = await pair()
    for (const name of ['ana', 'bo']) hand(lab.intrude('mule', name, { answers: 'no-room' }), lab, 200)
    await lab.run(10_000)
    for (const name of ['ana', 'bo']) expect(lab.node(name).archive.held.size).toBe(200)
    lab.cut('ana', 'bo')
    await lab.run(130_000)
    lab.connect('ana', 'bo')
    await lab.run(2_000)
    const spent = ['ana', 'bo'].map(
      (name) =>
        lab
          .node(name)
          .service.status()
          .neighbours.find(({ peer }) => peer !== 'mule')?.bytesOut,
    )
    for (const bytes of spent) expect(bytes).toBeLessThan(14_000)
  })

  it('[ME20] names what is carried to whoever lacks it, and its recipient behind asks for it', async () => {
    const lab = new MeshLab()
    for (const name of ['ana', 'mule', 'bo']) await lab.start(name)
    lab.connect('mule', 'bo')
    hand(lab.intrude('mallory', 'ana', { answers: 'no-room' }), lab, 50)
    await lab.run(1_000)
    const { bytes } = bundle('bo', { now: lab.clock.now(), text: 'named' })
    lab.intrude('mallory again', 'ana', { answers: 'no-room' }).say(transfer(bytes))
    await lab.run(1_000)
    lab.connect('ana', 'mule')
    await lab.run(600)
    expect(lab.received('bo')).toEqual(['named'])
  })
})
