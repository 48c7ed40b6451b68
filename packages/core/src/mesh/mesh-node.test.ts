import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cureKeyOf, MeshWorld } from '../testing/mesh-world.ts'
import { decodeMeshControl, encodeMeshControl } from '../wire/mesh.ts'
import { controlFrames } from './control.ts'
import { MAX_COLLECTED } from './mesh-node.ts'
import { MAX_SAID } from './neighbourhood.ts'
import { MAX_PARTIALS } from './partial-book.ts'
import { POLICY_NAMES } from './policies/index.ts'

const HOUR_MS = 3_600_000

describe('carrying', () => {
  it.each(POLICY_NAMES)('[ME1] %s: hands a bundle to its recipient when they meet, once', (policy) => {
    const world = new MeshWorld({ nodes: 2, policy })
    world.send('m', 0, { to: 1 })
    world.meet(0, 1)
    world.meet(0, 1)
    expect(world.arrived).toEqual(['m'])
    expect(world.relays).toBe(1)
  })

  it.each(POLICY_NAMES.filter((name) => name !== 'direct'))('[ME1] %s: a bundle arrives over one who knows neither end', (policy) => {
    const world = new MeshWorld({ nodes: 3, policy })
    world.meet(1, 2)
    world.send('m', 0, { to: 2 })
    world.meet(0, 1)
    world.meet(1, 2)
    expect(world.arrived).toEqual(['m'])
  })

  it('[ME1] direct: nobody else is given a copy', () => {
    const world = new MeshWorld({ nodes: 3, policy: 'direct' })
    world.send('m', 0, { to: 2 })
    world.meet(0, 1)
    expect(world.holders('m')).toEqual([0])
  })

  it('[ME1] spray-and-wait: no more than six copies are made, whoever meets', () => {
    const world = new MeshWorld({ nodes: 20, policy: 'spray-and-wait' })
    world.send('m', 0, { to: 19 })
    for (let a = 0; a < 19; a += 1) for (let b = a + 1; b < 19; b += 1) world.meet(a, b)
    expect(world.holders('m')).toHaveLength(6)
  })

  it.each(POLICY_NAMES)('[ME1] %s: whoever meets whom, nothing arrives twice, and the store keeps its size', (policy) => {
    const step = fc.tuple(fc.nat(5), fc.nat(5), fc.boolean())
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(), (steps, seed) => {
        const world = new MeshWorld({ nodes: 6, policy, seed, storeBytes: 5_000 })
        for (const [at, [a, b, sends]] of steps.entries()) {
          if (a === b) continue
          if (sends) world.send(`m${at}`, a, { to: b })
          else world.meet(a, b)
          world.now += 60_000
        }
        expect(new Set(world.arrived).size).toBe(world.arrived.length)
        for (const store of world.stores) expect(store.usedBytes).toBeLessThanOrEqual(5_000)
      }),
      { numRuns: 40 },
    )
  })
})

describe('limits of a bundle', () => {
  it('[ME2] a bundle is dropped when it has expired, and not passed on in its last minute', () => {
    const world = new MeshWorld({ nodes: 3, policy: 'epidemic' })
    world.send('m', 0, { to: 2, hours: 1 })
    world.now += HOUR_MS - 59_999
    world.meet(0, 1)
    expect(world.holders('m')).toEqual([0])
    world.at(0).expire(world.now)
    expect(world.holders('m')).toEqual([])
  })

  it('[ME2] a bundle that claims to live longer than mail is refused', () => {
    const world = new MeshWorld({ nodes: 2, policy: 'epidemic' })
    expect(world.at(0).admit(world.header('m', { to: 1, hours: 32 * 24 }), world.now)).toEqual({ kind: 'late' })
    expect(world.at(0).admit(world.header('m', { to: 1, hours: 30 * 24 }), world.now).kind).toBe('welcome')
  })

  it('[ME3] forged budgets of copies and hops are cut to what any bundle may have', () => {
    const world = new MeshWorld({ nodes: 3, policy: 'adaptive' })
    const link = world.up(0, 1)
    world.at(0).received({ header: world.header('m', { to: 2 }), hops: 1, hopLimit: 1e9, copies: 1e9 }, link, world.now)
    const [held] = world.stores[0]?.all() ?? []
    expect(held).toMatchObject({ hopLimit: 64, copies: 32 })
  })

  it.each(POLICY_NAMES.filter((name) => name !== 'direct'))('[ME3] %s: a bundle without hops left is not handed to carriers', (policy) => {
    const world = new MeshWorld({ nodes: 4, policy })
    world.meet(1, 3)
    const link = world.up(0, 2)
    world.at(0).received({ header: world.header('m', { to: 3 }), hops: 64, hopLimit: 0, copies: 8 }, link, world.now)
    world.meet(0, 1)
    expect(world.holders('m')).toEqual([0])
  })

  it('[ME5] room is made by dropping what was received first; an own bundle is always stored', () => {
    const world = new MeshWorld({ nodes: 2, policy: 'epidemic', storeBytes: 2_500 })
    for (const name of ['a', 'b', 'c']) {
      world.send(name, 0, { to: 1 })
      world.now += 1
    }
    expect(['a', 'b', 'c'].map((name) => world.holders(name).length)).toEqual([0, 1, 1])
  })

  it('[ME5] adaptive drops what others made before its own', () => {
    const world = new MeshWorld({ nodes: 4, policy: 'adaptive', storeBytes: 2_500 })
    world.send('own', 0, { to: 3 })
    world.now += 1
    world.send('theirs', 1, { to: 3 })
    world.meet(0, 1)
    expect(world.holders('theirs')).toContain(0)
    world.send('own too', 0, { to: 3 })
    expect(world.holders('theirs')).not.toContain(0)
    expect(world.holders('own')).toContain(0)
  })

  it.each(POLICY_NAMES)('[ME5] %s: of what has a lower priority nothing stays while something else goes', (policy) => {
    const world = new MeshWorld({ nodes: 3, policy, storeBytes: 2_500 })
    for (const [at, name] of ['first', 'second'].entries()) {
      const header = { ...world.header(name, { to: 2 }), priority: at === 0 ? (2 as const) : (1 as const) }
      world.at(0).received({ header, hops: 1, hopLimit: 9, copies: 4 }, world.up(0, 1), world.now)
      world.now += 1
    }
    world.at(0).admit(world.header('third', { to: 2 }), world.now)
    expect(Array.from(world.stores[0]?.all() ?? [], ({ key }) => key)).toEqual([world.header('first', { to: 2 }).key])
  })

  it.each(POLICY_NAMES)('[ME5] %s: what has expired goes before anything else', (policy) => {
    const world = new MeshWorld({ nodes: 2, policy, storeBytes: 2_500 })
    world.send('first', 0, { to: 1, hours: 9 })
    world.send('short', 0, { to: 1, hours: 1 })
    world.now += 2 * HOUR_MS
    world.send('third', 0, { to: 1, hours: 9 })
    expect(['first', 'short', 'third'].map((name) => world.holders(name).length)).toEqual([1, 0, 1])
  })

  it('[ME28] a part of a file for this node itself needs no room', () => {
    const world = new MeshWorld({ nodes: 2, policy: 'adaptive', storeBytes: 1_500 })
    world.send('m', 0, { to: 1 })
    const [mine, other] = [0, 1].map((to) => ({ ...world.header(`chunk ${to}`, { to }), priority: 0 as const }))
    expect([mine, other].map((header) => header && world.at(0).admit(header, world.now).kind)).toEqual(['welcome', 'no-room'])
  })

  it('[ME2] what has expired goes although something else is being sent', () => {
    const world = new MeshWorld({ nodes: 3, policy: 'epidemic' })
    world.send('short', 0, { to: 1, hours: 1 })
    world.send('long', 0, { to: 1, hours: 9 })
    const link = world.up(0, 2)
    const choice = world.at(0).carriable([link], world.now)
    if (choice === undefined) throw new Error('nothing to carry')
    world.at(0).began({ ...choice, bundle: { ...choice.bundle, key: world.header('long', { to: 1 }).key } })
    world.now += 2 * HOUR_MS
    world.at(0).expire(world.now)
    expect(['short', 'long'].map((name) => world.holders(name))).toEqual([[], [0]])
  })

  it('[ME20] keys of what came for this node are bounded, the first ones are forgotten', () => {
    const world = new MeshWorld({ nodes: 2, policy: 'adaptive' })
    const link = world.up(0, 1)
    const header = (number: number) => world.header(`${number}`, { to: 0 })
    for (let number = 0; number <= MAX_COLLECTED; number += 1)
      world.at(0).received({ header: header(number), hops: 1, hopLimit: 9, copies: 1 }, link, world.now)
    expect([0, 1].map((number) => world.at(0).admit(header(number), world.now).kind)).toEqual(['welcome', 'known'])
  })

  it('[ME5] a bundle that is being sent is not dropped', () => {
    const world = new MeshWorld({ nodes: 3, policy: 'epidemic', storeBytes: 1_500 })
    world.send('m', 0, { to: 1 })
    const link = world.up(0, 2)
    const choice = world.at(0).carriable([link], world.now)
    if (choice === undefined) throw new Error('nothing to carry')
    world.at(0).began(choice)
    expect(world.at(0).admit(world.header('n', { to: 1 }), world.now)).toEqual({ kind: 'no-room' })
    world.at(0).broken(choice)
    expect(world.at(0).admit(world.header('n', { to: 1 }), world.now).kind).toBe('welcome')
  })
})

describe('proofs of delivery', () => {
  it('[ME6] what has arrived disappears from carriers, and they take it no more', () => {
    const world = new MeshWorld({ nodes: 4, policy: 'adaptive' })
    world.send('m', 0, { to: 3 })
    world.meet(0, 1)
    world.meet(0, 2)
    world.meet(1, 3)
    expect(world.holders('m')).toEqual([0, 2])
    world.meet(3, 2)
    world.meet(2, 0)
    expect(world.holders('m')).toEqual([])
    expect(world.at(0).admit(world.header('m', { to: 3 }), world.now)).toEqual({ kind: 'cured' })
  })

  it('[ME6] another key drops nothing', () => {
    const world = new MeshWorld({ nodes: 2, policy: 'adaptive' })
    world.send('m', 0, { to: 1 })
    world.at(0).cure(cureKeyOf('another'), world.now + HOUR_MS, world.now)
    expect(world.holders('m')).toEqual([0])
    world.at(0).cure(cureKeyOf('m'), world.now + HOUR_MS, world.now)
    expect(world.holders('m')).toEqual([])
  })

  it('[ME7] neighbours end with the same proofs, however many each had', () => {
    const world = new MeshWorld({ nodes: 3, policy: 'adaptive' })
    for (let at = 0; at < 300; at += 1) {
      world.send(`a${at}`, 2, { to: 0, bytes: 1 })
      world.at(at % 2).cure(cureKeyOf(`a${at}`), world.now + HOUR_MS, world.now)
    }
    world.meet(0, 1)
    world.meet(1, 2)
    expect(world.stores[2]?.size).toBe(0)
  })

  it('[ME7] with nothing to tell, comparing costs at most 100 bytes', () => {
    const world = new MeshWorld({ nodes: 2, policy: 'adaptive' })
    for (let at = 0; at < 1_000; at += 1) for (const node of world.nodes) node.cure(cureKeyOf(`a${at}`), world.now + HOUR_MS, world.now)
    const without = new MeshWorld({ nodes: 2, policy: 'direct' })
    world.meet(0, 1)
    without.meet(0, 1)
    const extra = world.controlBytes.map((bytes, node) => bytes - (without.controlBytes[node] ?? 0))
    expect(extra.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(100)
  })
})

describe('transfers that break off', () => {
  it('[ME10] go on where they ended, also from another holder', () => {
    const world = new MeshWorld({ nodes: 3, policy: 'adaptive' })
    const header = world.header('m', { to: 2, bytes: 900 })
    world.at(2).partial(header, 300)
    world.at(2).partial(header, 200)
    expect(world.at(2).admit(header, world.now)).toEqual({ kind: 'welcome', offset: 500 })
  })

  it('[ME10] are forgotten beyond a quarter of the store, the longest untouched first', () => {
    const world = new MeshWorld({ nodes: 2, policy: 'adaptive', storeBytes: 4_000 })
    for (let at = 0; at < 3; at += 1) world.at(0).partial(world.header(`m${at}`, { to: 1 }), 400)
    const offsets = [0, 1, 2].map((at) => world.at(0).admit(world.header(`m${at}`, { to: 1 }), world.now))
    expect(offsets.map((answer) => (answer.kind === 'welcome' ? answer.offset : -1))).toEqual([0, 400, 400])
  })

  it('[ME10] never finish: no more than 64 are kept', () => {
    const world = new MeshWorld({ nodes: 2, policy: 'adaptive', storeBytes: 10_000_000 })
    for (let at = 0; at < 2 * MAX_PARTIALS; at += 1) world.at(0).partial(world.header(`m${at}`, { to: 1 }), 1)
    const kept = Array.from({ length: 2 * MAX_PARTIALS }, (_, at) => world.at(0).admit(world.header(`m${at}`, { to: 1 }), world.now))
    expect(kept.filter((answer) => answer.kind === 'welcome' && answer.offset === 1)).toHaveLength(MAX_PARTIALS)
  })
})

describe('hostile neighbours', () => {
  it('[ME8] one that claims to hold everything is only left out itself', () => {
    const world = new MeshWorld({ nodes: 4, policy: 'epidemic' })
    const link = world.up(0, 1)
    world.send('m', 0, { to: 3 })
    world.at(0).control(link, controlFrames({ gained: [world.header('m', { to: 3 }).key] })[0] ?? new Uint8Array(), world.now)
    world.up(0, 2)
    world.settle()
    expect(world.holders('m')).toEqual([0, 2])
  })

  it('[ME8] endless announcements are forgotten, the first ones first', () => {
    const world = new MeshWorld({ nodes: 3, policy: 'epidemic' })
    world.send('m', 0, { to: 2 })
    const link = world.up(0, 1)
    const { key } = world.header('m', { to: 2 })
    const say = (gained: string[]): void => {
      for (const frame of controlFrames({ gained })) world.at(0).control(link, frame, world.now)
    }
    say([key])
    expect(world.at(0).carriable([link], world.now)).toBeUndefined()
    say(Array.from({ length: MAX_SAID }, (_, at) => at.toString(16).padStart(16, '0')))
    expect(world.at(0).carriable([link], world.now)?.bundle.key).toBe(key)
  })

  it('[ME4] whoever has more addresses than a frame may name says them in several', () => {
    const addresses = Array.from({ length: 9_000 }, (_, at) => at)
    const frames = controlFrames({ addresses, more: 3 }).map((frame) => decodeMeshControl(frame))
    expect(frames.flatMap((frame) => frame.addresses)).toEqual(addresses)
    expect(frames.map(({ more }) => more)).toEqual([3, 0, 0])
  })

  it('[ME4] arbitrary bytes are refused or read, and nothing else happens', () => {
    const world = new MeshWorld({ nodes: 2, policy: 'adaptive' })
    world.send('m', 0, { to: 1 })
    const link = world.up(0, 1)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        try {
          world.at(0).control(link, bytes, world.now)
        } catch (error) {
          expect(error).toMatchObject({ code: 'BAD_FRAME' })
        }
        expect(world.holders('m')).toEqual([0])
      }),
      { numRuns: 500 },
    )
  })

  it('[ME4] a frame after the link is gone changes nothing', () => {
    const world = new MeshWorld({ nodes: 2, policy: 'adaptive' })
    const nothing = { addresses: [], gained: [], lost: [], offered: [], cures: [], prospects: [], partials: [], wanted: [] }
    expect(() =>
      world
        .at(0)
        .control(
          'gone',
          encodeMeshControl({ ...nothing, experience: [], about: 0, listed: 0, sum: 0, sketch: undefined, more: 4_000_000 }),
          world.now,
        ),
    ).not.toThrow()
  })
})
