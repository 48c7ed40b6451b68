import { describe, expect, it } from 'vitest'
import { bundle, control, forward, pair, primitives, transfer } from '../../testing/mesh-frames.ts'
import { cureKeyOf, type Intruder, tagOf } from '../../testing/mesh-lab.ts'
import { bundleHeader, MAX_COPIES, MAX_HOPS, meshAddress } from '../bundle.ts'
import { BYTE_RATE, FRAME_RATE, MAX_EXCESS } from './allowances.ts'
import { NEIGHBOUR_SHARE } from './archived-store.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

describe('a neighbour that keeps to no rules', () => {
  it('[ME18] a bundle that claims the key, address or lock of another goes no further', async () => {
    const lab = await pair()
    const mallory = lab.intrude('mallory', 'ana')
    const made = bundle('bo', { now: lab.clock.now() })
    const other = bundle('ana', { text: 'y', now: lab.clock.now() }).header
    for (const forged of [{ key: other.key }, { address: other.address }, { lock: other.lock }]) mallory.say(forward(made, forged))
    await lab.run(1_000)
    expect(lab.node('ana').offences).toEqual(Array(3).fill({ peer: 'mallory', code: 'BAD_FRAME' }))
    expect(lab.received('bo')).toEqual([])
    // The honest one still passes, although its key was used before.
    mallory.say(forward(made))
    await lab.run(1_000)
    expect(lab.received('bo')).toEqual(['x'])
  })

  it('[ME18] what has just expired, here or by another clock, is left and nobody blamed for it; nothing goes on in its last minute', async () => {
    const lab = await pair()
    const neighbour = lab.intrude('neighbour', 'ana')
    const [last, mine] = [bundle('bo', { now: lab.clock.now(), hours: 1 }), bundle('ana', { text: 'y', now: lab.clock.now(), hours: 1 })]
    lab.clock.jump(2 * HOUR_MS - 30_000)
    for (const made of [last, mine]) neighbour.say(forward(made))
    await lab.run(1_000)
    expect([lab.received('bo'), lab.received('ana')]).toEqual([[], ['y']])
    lab.clock.jump(30_000)
    const gone = bundle('bo', { text: 'z', now: lab.clock.now() - 400 * DAY_MS })
    for (const made of [last, mine, gone]) neighbour.say(forward(made, { attempt: 2 }))
    await lab.run(1_000)
    expect(lab.received('bo')).toEqual([])
    expect(lab.node('ana').offences).toEqual([])
  })

  it('[ME3] [ME2] hops without end, copies without number, and a life of years are cut or refused', async () => {
    const lab = await pair()
    const mallory = lab.intrude('mallory', 'ana')
    const now = lab.clock.now()
    const [endless, absurd] = [bundle('cy', { now }), bundle('cy', { now, text: 'later', hours: 24 * 365 })]
    mallory.say(transfer(endless.bytes, { hopLimit: 4_000_000_000, copies: 4_000_000_000, hops: 0 }))
    mallory.say(transfer(absurd.bytes))
    await lab.run(1_000)
    const held = lab.node('ana').service.status().bundles
    expect(held).toMatchObject([{ key: endless.header.key, isOwn: false }])
    expect(held[0]?.hopLimit).toBeLessThanOrEqual(MAX_HOPS)
    expect(held[0]?.copies).toBeLessThanOrEqual(MAX_COPIES)
    expect(held[0]?.hops).toBeGreaterThan(0)
    expect(mallory.heard).toContainEqual({ kind: 'answer', key: absurd.header.key, outcome: 'late' })
    const { archive } = lab.node('ana')
    for (const { copies, hopLimit } of await archive.bundles()) expect([copies <= MAX_COPIES, hopLimit <= MAX_HOPS]).toEqual([true, true])
    const rotten = (await archive.bundles()).map((each) => ({ ...each, copies: 4_000_000_000, hopLimit: 4_000_000_000 }))
    archive.held.set(endless.header.key, { bundle: rotten[0] ?? never(), bytes: endless.bytes })
    lab.node('ana').service.stop()
    await lab.start('ana', archive)
    expect(lab.node('ana').service.status().bundles).toMatchObject([{ copies: MAX_COPIES, hopLimit: MAX_HOPS }])
  })

  it('[ME20] the same bundle a thousand times is one bundle', async () => {
    const lab = await pair()
    const mallory = lab.intrude('mallory', 'ana')
    const { bytes } = bundle('cy', { now: lab.clock.now() })
    for (let number = 0; number < 1_000; number += 1) mallory.say(transfer(bytes))
    await lab.run(5_000)
    expect(mallory.isShed).toBe(false)
    for (let second = 0; second < 12; second += 1) {
      for (let number = 0; number < 490; number += 1) mallory.say(transfer(bytes))
      await lab.run(1_000)
    }
    expect(mallory.isShed).toBe(true)
    expect(lab.node('ana').offences).toEqual([{ peer: 'mallory', code: 'BUDGET_SPENT' }])
    expect(lab.node('ana').archive.held.size).toBe(1)
    expect(mallory.heard.filter((frame) => frame.kind === 'answer' && frame.outcome === 'taken')).toHaveLength(1)
  })

  it('[ME20] what one neighbour hands over takes a quarter of the room at most, and others find room', async () => {
    const lab = await pair({ capacityBytes: 400_000 })
    const mallory = lab.intrude('mallory', 'ana')
    const now = lab.clock.now()
    for (let number = 0; number < 100; number += 1)
      mallory.say(transfer(bundle('cy', { now, text: `${number}`.padEnd(number, '.'), size: 10_000 + number }).bytes))
    await lab.run(5_000)
    const used = (): number => lab.node('ana').service.status().usedBytes
    expect(used()).toBeGreaterThan(0.8 * NEIGHBOUR_SHARE * 400_000)
    expect(used()).toBeLessThanOrEqual(NEIGHBOUR_SHARE * 400_000)
    lab.cut('ana', 'bo')
    lab.send('ana', 'bo', 'ours')
    await lab.run(10_000)
    expect(
      lab
        .node('ana')
        .service.status()
        .bundles.filter(({ isOwn }) => isOwn),
    ).toHaveLength(1)
  })

  it('[ME5] in a full store whoever takes most makes room, and what was made here for nobody', async () => {
    const lab = await pair({ capacityBytes: 400_000 })
    lab.send('ana', 'dee', 'ours')
    const flooders = ['mallory', 'malory', 'mallorie'].map((name) => lab.intrude(name, 'ana'))
    const now = lab.clock.now()
    const bring = (by: Intruder, to: string, first: number): void => {
      for (let number = first; number < first + 9; number += 1)
        by.say(transfer(bundle(to, { now, text: ''.padEnd(number, '.'), size: 9_000 }).bytes))
    }
    for (const [at, name] of ['bea', 'cal', 'dan', 'eva', 'fay'].entries()) bring(lab.intrude(name, 'ana'), 'cy', 10 * at)
    await lab.run(5_000)
    // Theirs is for somebody who was heard of just now.
    for (const each of flooders) each.say(control({ addresses: [7, bundle('eve', { now }).header.address] }))
    for (const [at, each] of flooders.entries()) bring(each, 'eve', 100 + 10 * at)
    await lab.run(10_000)
    const used = new Map<string, number>()
    for (const { bundle: held } of lab.node('ana').archive.held.values()) used.set(held.from, (used.get(held.from) ?? 0) + held.bytes)
    expect(used.get('')).toBeGreaterThan(0)
    for (const honest of ['bea', 'cal', 'dan', 'eva', 'fay']) expect(used.get(honest)).toBeGreaterThanOrEqual(45_000)
    for (const hostile of ['mallory', 'malory', 'mallorie']) expect(used.get(hostile)).toBeLessThanOrEqual(55_000)
  })

  it('[ME19] a flooder is cut down to its rate and shed, while others are served', async () => {
    const lab = await pair()
    const mallory = lab.intrude('mallory', 'ana')
    const now = lab.clock.now()
    const flood = FRAME_RATE.burst + 10 * FRAME_RATE.perSecond + MAX_EXCESS
    for (let number = 0; number < flood; number += 1) mallory.say(control({}))
    for (let number = 0; number < 50; number += 1) mallory.say(forward(bundle('cy', { now, text: `${number}` })))
    await lab.run(1_000)
    expect(mallory.isShed).toBe(true)
    expect(lab.node('ana').offences).toContainEqual({ peer: 'mallory', code: 'BUDGET_SPENT' })
    lab.send('ana', 'bo', 'all is well')
    await lab.run(1_000)
    expect(lab.received('bo')).toEqual(['all is well'])
  })

  it('[ME19] bytes count as frames do', async () => {
    const lab = await pair()
    const mallory = lab.intrude('mallory', 'ana')
    const frames = Math.ceil(BYTE_RATE.burst / 250_000) + 200
    for (let sent = 0; sent < frames; sent += 16) {
      const large = bundle('cy', { now: lab.clock.now(), text: `${sent}`.padEnd(sent), size: 250_000 })
      for (let attempt = 1; attempt <= 16; attempt += 1) mallory.say(forward(large, { attempt }))
    }
    await lab.run(50)
    const bo = lab.node('bo').service.status().neighbours[0]?.bytesIn ?? 0
    expect(bo).toBeLessThanOrEqual(BYTE_RATE.burst * 1.1)
  })

  it('[ME7] comparisons that never come to an end are begun every five seconds at most', async () => {
    const lab = await pair()
    const mallory = lab.intrude('mallory', 'ana')
    mallory.say(control({ addresses: [7] }))
    await lab.run(500)
    const before = mallory.heard.length
    const symbols = new Uint8Array(13 * 3).fill(9)
    for (let salt = 0; salt < 1_000; salt += 1)
      mallory.say(control({ sketch: { salt, from: 0, symbols, pulls: new Uint8Array(32), depth: 0, share: 0 } }))
    await lab.run(4_000)
    expect(mallory.heard.length - before).toBeLessThanOrEqual(2)
  })

  it('[ME8] who announces and never gives keeps nobody from giving', async () => {
    const lab = await pair()
    const liar = lab.intrude('liar', 'bo')
    const text = 'it comes all the same'
    lab.cut('ana', 'bo')
    lab.send('ana', 'bo', text)
    await lab.run(10_000)
    const key = lab.node('ana').service.status().bundles[0]?.key ?? ''
    liar.say(control({ addresses: [9], offered: [key], gained: [key] }))
    await lab.run(1_000)
    lab.connect('ana', 'bo')
    await lab.run(3_000)
    expect(lab.received('bo')).toEqual([text])
  })

  it('[ME20] who refuses what it is sent is not sent it for ever', async () => {
    const lab = await pair()
    const mallory = lab.intrude('mallory', 'ana')
    mallory.say(control({ addresses: [7, meshAddress(tagOf('cy'), primitives)] }))
    lab.send('ana', 'cy', 'try me')
    await lab.run(8_000)
    const offers = () => mallory.heard.filter((frame) => frame.kind === 'transfer')
    for (let round = 0; round < 20; round += 1) {
      const key = lab.node('ana').service.status().bundles[0]?.key ?? ''
      mallory.say({ kind: 'answer', key, outcome: 'no-room' })
      mallory.say(control({ lost: [key] }))
      await lab.run(500)
    }
    expect(offers().length).toBeGreaterThan(0)
    expect(offers().length).toBeLessThanOrEqual(3)
  })

  it('[ME20] a thief of tags gets ciphertext, and the bundle goes on to whoever can open it', async () => {
    const lab = await pair()
    const thief = lab.intrude('thief', 'ana')
    thief.say(control({ addresses: [7, meshAddress(tagOf('bo'), primitives), meshAddress(tagOf('cy'), primitives)] }))
    lab.cut('ana', 'bo')
    await lab.run(500)
    lab.send('ana', 'bo', 'for bo')
    await lab.run(8_000)
    const [offer] = thief.heard.flatMap((frame) => (frame.kind === 'transfer' ? [frame.transfer] : []))
    const copies = lab.node('ana').service.status().bundles[0]?.copies
    thief.say({ kind: 'answer', key: bundleHeader(offer?.bundle ?? new Uint8Array(), primitives).key, outcome: 'taken' })
    await lab.run(500)
    expect(lab.node('ana').service.status().bundles[0]?.copies).toBe(copies)
    expect(lab.node('ana').proven).toEqual([])
    lab.connect('ana', 'bo')
    await lab.run(2_000)
    expect(lab.received('bo')).toEqual(['for bo'])
    expect(lab.node('ana').proven).toEqual(['for bo'])
  })

  it('[ME6] a made-up proof drops nothing', async () => {
    const lab = await pair()
    const mallory = lab.intrude('mallory', 'ana')
    lab.cut('ana', 'bo')
    lab.send('ana', 'bo', 'still here')
    await lab.run(8_000)
    mallory.say(control({ cures: [{ key: cureKeyOf('something else'), expiryHour: Math.ceil(lab.clock.now() / HOUR_MS) + 5 }] }))
    await lab.run(1_000)
    expect(lab.node('ana').service.status().bundles).toHaveLength(1)
    expect(lab.node('ana').proven).toEqual([])
  })

  it('[ME2] a neighbour whose clock is off by 20 hours is served; one that is off by years is not', async () => {
    const lab = await pair()
    const mallory = lab.intrude('mallory', 'ana')
    const now = lab.clock.now()
    const [soon, never] = [bundle('cy', { now: now + 20 * HOUR_MS, hours: 72 }), bundle('cy', { now: now - 400 * DAY_MS, text: 'old' })]
    for (const { bytes } of [soon, never]) mallory.say(transfer(bytes))
    await lab.run(1_000)
    const outcomes = mallory.heard.flatMap((frame) => (frame.kind === 'answer' ? [frame.outcome] : []))
    expect(outcomes.toSorted()).toEqual(['late', 'taken'])
  })

  it('[ME4] what does not parse is an offence each time and changes nothing', async () => {
    const lab = await pair()
    const mallory = lab.intrude('mallory', 'ana')
    mallory.say({ kind: 'control', frame: new Uint8Array([255, 255, 255]) })
    mallory.say({ kind: 'route', frame: new Uint8Array([255, 1, 2]) })
    mallory.say(transfer(new Uint8Array([1, 2, 3])))
    await lab.run(500)
    expect(lab.node('ana').offences).toHaveLength(3)
    lab.send('ana', 'bo', 'hello')
    await lab.run(1_000)
    expect(lab.received('bo')).toEqual(['hello'])
  })

  it('[ME27] parts of files are not flooded, and none is more urgent than a message', async () => {
    const lab = await pair()
    const mallory = lab.intrude('mallory', 'ana')
    const now = lab.clock.now()
    const flooded = bundle('bo', { now, chunk: 0, size: 100_000 })
    mallory.say(forward(flooded))
    const before = lab.node('bo').service.status().neighbours[0]?.bytesIn ?? 0
    await lab.run(1_000)
    expect(lab.node('ana').offences).toEqual([{ peer: 'mallory', code: 'BAD_FRAME' }])
    expect((lab.node('bo').service.status().neighbours[0]?.bytesIn ?? 0) - before).toBeLessThan(10_000)
    expect(() => bundle('bo', { now, chunk: 1, size: 513 })).toThrow('more urgent')
    expect(bundle('bo', { now, chunk: 1, size: 512 }).header.priority).toBe(1)
  })

  it('[ME28] parts of files take a sixteenth of the room for each neighbour, a quarter in all, and give way to messages', async () => {
    const lab = await pair({ capacityBytes: 800_000 })
    const others = Array.from({ length: 7 }, (_, at) => lab.intrude(`mallory ${at}`, 'ana', { answers: 'no-room' }))
    const now = lab.clock.now()
    const used = (priority: number): number =>
      lab
        .node('ana')
        .service.status()
        .bundles.filter((held) => held.priority === priority)
        .reduce((sum, { bytes }) => sum + bytes, 0)
    const hand = async (to: number, chunk?: 0): Promise<void> => {
      for (let number = 0; number < 30; number += 1) {
        const wanted = { now, text: `${to}`.padEnd(number + 1, '.'), size: 8_000 + number + 100 * to }
        others[to]?.say(transfer(bundle('cy', chunk === undefined ? wanted : { ...wanted, chunk }).bytes))
      }
      await lab.run(2_000)
    }
    await hand(0, 0)
    expect(used(0)).toBeGreaterThan(0.8 * 50_000)
    expect(used(0)).toBeLessThanOrEqual(50_000)
    for (let to = 1; to < 6; to += 1) await hand(to, 0)
    expect(used(0)).toBeGreaterThan(0.8 * 200_000)
    expect(used(0)).toBeLessThanOrEqual(200_000)
    for (let to = 0; to < 6; to += 1) await hand(to)
    const messages = used(1)
    expect(used(0)).toBeLessThanOrEqual(800_000 - messages)
    expect(messages).toBeGreaterThan(0.9 * 800_000)
    await hand(6, 0)
    expect(used(1)).toBe(messages)
    expect(messages + used(0)).toBeLessThanOrEqual(800_000)
  })
})

function never(): never {
  throw new Error('nothing is held')
}
