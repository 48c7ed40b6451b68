import { describe, expect, it } from 'vitest'
import { bundle, forward, pair, transfer } from '../../testing/mesh-frames.ts'
import { MeshLab } from '../../testing/mesh-lab.ts'
import { VirtualClock } from '../../testing/virtual-clock.ts'
import type { BundleHeader } from '../bundle.ts'
import { ClockDoubt } from './clock-doubt.ts'

const YEAR_MS = 365 * 86_400_000
const NOW = 1_800_000_000_000

/** Of a bundle made so long after now. */
const headerAfter = (after: number): BundleHeader => bundle('eve', { now: NOW + after }).header

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

  it('[ME43] is believed in where names that nobody knows say nothing else than those that were sound before', async () => {
    const lab = await pair()
    const now = lab.clock.now()
    const isTold = (): boolean => lab.node('ana').service.status().clockDiffers
    const say = async (name: string, at: number): Promise<boolean> => {
      const peer = lab.intrude(name, 'ana')
      peer.say(transfer(bundle('eve', { now: at, text: name }).bytes))
      await lab.run(150)
      peer.leave()
      return isTold()
    }
    for (const friend of ['cy', 'dee']) await say(friend, now)
    const told = []
    for (let at = 0; at < 70; at += 1) told.push(await say(`made up ${at}`, now + 20 * YEAR_MS))
    expect(told).not.toContain(true)
  })

  it('[ME43] is not believed in against a contact that is right, by however many', () => {
    const doubt = new ClockDoubt({ clock: new VirtualClock(0), isContact: (peer) => peer === 'friend' })
    const [sound, odd] = [headerAfter(0), headerAfter(20 * YEAR_MS)]
    const crowd = (name: string): void => {
      for (let at = 0; at < 100; at += 1) for (const each of [sound, odd]) doubt.brought(`${name} ${at}`, each, NOW)
    }
    crowd('first')
    expect(doubt.isWrong).toBe(true)
    doubt.brought('friend', sound, NOW)
    crowd('second')
    expect(doubt.isWrong).toBe(false)
    doubt.brought('friend', odd, NOW)
    expect(doubt.isWrong).toBe(true)
  })

  it('[ME43] is believed in against one stranger whose clock is wrong in the same way, and against any that come afterwards', () => {
    const doubt = new ClockDoubt({ clock: new VirtualClock(0) })
    doubt.brought('twin', headerAfter(0), NOW)
    for (let at = 0; at < 20; at += 1) doubt.brought(`honest ${at}`, headerAfter(20 * YEAR_MS), NOW)
    expect(doubt.isWrong).toBe(true)
    for (let at = 0; at < 10; at += 1) doubt.brought(`made up ${at}`, headerAfter(0), NOW)
    expect(doubt.isWrong).toBe(true)
  })

  it('[ME43] is believed in where a contact differs, whatever strangers of this time there are fewer of', () => {
    const doubt = new ClockDoubt({ clock: new VirtualClock(0), isContact: (peer) => peer === 'friend' })
    for (const peer of ['cy', 'dee']) doubt.brought(peer, headerAfter(0), NOW)
    for (const peer of ['friend', 'eli', 'fay']) doubt.brought(peer, headerAfter(20 * YEAR_MS), NOW)
    expect(doubt.isWrong).toBe(true)
  })

  it('[ME43] counts a contact from its first word on, and nobody who was here more than an hour ago', async () => {
    const clock = new VirtualClock(0)
    const doubt = new ClockDoubt({ clock, isContact: (peer) => peer === 'friend' })
    const odd = headerAfter(20 * YEAR_MS)
    for (let at = 0; at < 64; at += 1) doubt.brought(`sound ${at}`, headerAfter(0), NOW)
    doubt.brought('friend', odd, NOW)
    for (let at = 30; at < 62; at += 1) doubt.brought(`sound ${at}`, odd, NOW)
    expect(doubt.isWrong).toBe(true)
    for (let at = 0; at < 64; at += 1) doubt.brought(`sound ${at}`, headerAfter(0), NOW)
    await clock.advance(3_600_001)
    for (const peer of ['cy', 'dee']) doubt.brought(peer, odd, NOW)
    expect(doubt.isWrong).toBe(true)
  })

  it('[ME43] makes nobody free: beyond a thousand things of one neighbour that come too late it is blamed again', () => {
    const doubt = new ClockDoubt({ clock: new VirtualClock(0) })
    for (const peer of ['cy', 'dee']) doubt.brought(peer, headerAfter(20 * YEAR_MS), NOW)
    const forgiven = Array.from({ length: 3_000 }, () => doubt.forgives('cy')).filter(Boolean).length
    expect([forgiven, doubt.forgives('dee')]).toEqual([1_000, true])
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
