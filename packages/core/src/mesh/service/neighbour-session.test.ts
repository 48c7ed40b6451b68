import { describe, expect, it } from 'vitest'
import { bundle, control, forward, transfer } from '../../testing/mesh-frames.ts'
import { memoryLink } from '../../testing/mesh-lab.ts'
import { settle, VirtualClock } from '../../testing/virtual-clock.ts'
import { decodeNeighbourFrame } from '../../wire/mesh-bundle.ts'
import { FrameLink, Pace, PacedLink } from '../links/index.ts'
import { Allowances } from './allowances.ts'
import { NeighbourSession } from './neighbour-session.ts'

/** A session over a link of so many bytes a second, and the kinds of frames that come out at its other end. */
function slow(bytesPerSecond: number) {
  const clock = new VirtualClock(0)
  const [near, far] = memoryLink()
  const link = new PacedLink(near, new Pace(bytesPerSecond, clock, near.mtu))
  const events = { onFrame: () => undefined, onOffence: () => undefined }
  const session = new NeighbourSession({ id: '1', peer: 'bo', link, clock, allowances: new Allowances(clock), events })
  const heard: string[] = []
  void (async () => {
    for await (const frame of new FrameLink(far, clock).frames()) heard.push(decodeNeighbourFrame(frame).kind)
  })()
  return { clock, session, heard }
}

const flood = (number: number) => forward(bundle('cy', { now: 0, text: `${number}`, size: 10_000 }))

describe('what waits for a neighbour', () => {
  it('[ME19] words go before what is handed over, and that before floods: nobody is blamed for what he was sent to pass on', async () => {
    const { clock, session, heard } = slow(10_000)
    for (let number = 0; number < 4; number += 1) session.say(flood(number), { mayBeLost: true })
    session.say(transfer(bundle('bo', { now: 0 }).bytes))
    session.say(control({ addresses: [1] }))
    session.say({ kind: 'answer', key: 'ab'.repeat(8), outcome: 'taken' })
    for (let second = 0; second < 10; second += 1) await clock.advance(1_000)
    await settle()
    // The first one was on its way already.
    expect(heard).toEqual(['route', 'control', 'answer', 'transfer', 'route', 'route'])
  })

  it('[ME19] of floods as much waits as a slow link takes in four seconds, and one frame however large', async () => {
    const { clock, session, heard } = slow(1_000)
    for (let number = 0; number < 40; number += 1) session.say(flood(number), { mayBeLost: true })
    for (let second = 0; second < 100; second += 1) await clock.advance(1_000)
    expect(heard).toEqual(['route'])
  })
})
