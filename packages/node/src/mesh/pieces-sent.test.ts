import { cutPieces, LARGE_BYTES, MAX_SETS, noblePrimitives, planCarried, planPieces } from '@skein/core'
import { envelopeFor, MeshLab, pieceBundle, seededRandom } from '@skein/core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openErasureCode } from './erasure.ts'

const code = await openErasureCode()
const LARGE = 8_000

async function lab(names: string, ...cables: readonly string[]): Promise<MeshLab> {
  const made = new MeshLab({ code: async () => code })
  for (const name of names) await made.start(name)
  for (const [a = '', b = ''] of cables) made.connect(a, b)
  await made.run(500)
  return made
}

/** Ana and bo, with two ways between them. */
const square = (): Promise<MeshLab> => lab('axyb', 'ax', 'ay', 'xb', 'yb')
const counts = (made: MeshLab, name: string) => made.node(name).service.status().pieces
/** Bytes that have come in at a node over all its links. */
const bytesIn = (made: MeshLab, name: string): number =>
  made
    .node(name)
    .service.status()
    .neighbours.reduce((sum, each) => sum + each.bytesIn, 0)

describe('large messages', () => {
  it('[ME32] go in pieces where two ways are known, half over each, and become whole once', async () => {
    const made = await square()
    made.send('a', 'b', 'first')
    await made.run(1_000)
    expect(made.node('a').service.status().routes[0]?.ways).toHaveLength(2)
    const before = ['x', 'y'].map((name) => bytesIn(made, name))
    made.send('a', 'b', 'large', LARGE)
    await made.run(1_000)
    expect(made.received('b')).toEqual(['first', 'large'])
    expect(made.node('a').proven).toEqual(['first', 'large'])
    expect(counts(made, 'a')).toMatchObject({ overWays: 1, overOneWay: 0 })
    expect(counts(made, 'b')).toMatchObject({ joined: 1 })
    const passed = ['x', 'y'].map((name, at) => bytesIn(made, name) - (before[at] ?? 0))
    for (const bytes of passed) expect(bytes).toBeLessThan(LARGE * 0.6)
    expect((passed[0] ?? 0) + (passed[1] ?? 0)).toBeGreaterThan(LARGE)
  })

  it('[ME31] go in pieces too where the second way has come after the first, once something small has looked for it', async () => {
    const made = await lab('axyb', 'ax', 'xb')
    made.send('a', 'b', 'first')
    await made.run(1_000)
    for (const [a, b] of ['yb', 'ay'] as const) made.connect(a ?? '', b ?? '')
    await made.run(1_000)
    made.send('a', 'b', 'second')
    await made.run(1_000)
    made.send('a', 'b', 'large', LARGE)
    await made.run(1_000)
    expect(made.received('b')).toEqual(['first', 'second', 'large'])
    expect(counts(made, 'a')).toMatchObject({ overWays: 1, overOneWay: 0 })
    expect(counts(made, 'b')).toMatchObject({ joined: 1 })
  })

  it('[ME32] go whole over one way, and it says so; small ones go whole over any', async () => {
    const made = await lab('axb', 'ax', 'xb')
    made.send('a', 'b', 'first')
    await made.run(1_000)
    made.send('a', 'b', 'large', LARGE)
    await made.run(1_000)
    expect(made.received('b')).toEqual(['first', 'large'])
    expect(counts(made, 'a')).toMatchObject({ overWays: 0, overOneWay: 1 })
    const two = await square()
    for (const [at, bytes] of [0, LARGE_BYTES / 2].entries()) {
      two.send('a', 'b', `small ${at}`, bytes)
      await two.run(1_000)
    }
    expect(counts(two, 'a')).toMatchObject({ overWays: 0, overCarriers: 0, asCopies: 0, overOneWay: 0 })
  })

  it('[ME32] a piece that is lost with its way goes over the other one, and all are one message', async () => {
    const made = await square()
    made.send('a', 'b', 'first')
    await made.run(1_000)
    // Behind a cut that ana cannot see.
    made.cut('y', 'b')
    made.send('a', 'b', 'large', LARGE)
    await made.run(5_000)
    expect(made.received('b')).toEqual(['first', 'large'])
    expect(made.node('a').proven).toEqual(['first', 'large'])
    expect(counts(made, 'a').overWays).toBe(1)
  })

  it('[ME32] what no way leads to is left to carriers in pieces, one each, and some of them are enough', async () => {
    const made = await lab('a1234b', 'a1', 'a2', 'a3', 'a4')
    made.send('a', 'b', 'large', 40_000)
    await made.run(12_000)
    expect(counts(made, 'a')).toMatchObject({ overCarriers: 1, asCopies: 0 })
    const held = ['1', '2', '3', '4'].map((name) => [...made.node(name).archive.held.values()])
    expect(held.map((pieces) => pieces.length)).toEqual([1, 1, 1, 1])
    expect(new Set(held.flat().map(({ bundle }) => bundle.key)).size).toBe(4)
    for (const [piece] of held) expect(piece?.bytes.length).toBeLessThan(40_000)
    for (const name of ['1', '2', '3', '4']) made.cut('a', name)
    const needed = 4 - 1
    for (const name of ['1', '2', '3'].slice(0, needed)) made.connect(name, 'b')
    await made.run(3_000)
    expect(made.received('b')).toEqual(['large'])
    made.connect('a', '1')
    await made.run(3_000)
    expect(made.node('a').proven).toEqual(['large'])
    for (const name of ['a', '1', '2', '3']) expect([...made.node(name).archive.held]).toEqual([])
  })

  it('[ME32] with two carriers only whole copies are better, and after a minute alone with one carrier it gets all pieces', async () => {
    const two = await lab('a12b', 'a1', 'a2')
    two.send('a', 'b', 'large', 40_000)
    await two.run(12_000)
    expect(counts(two, 'a')).toMatchObject({ overCarriers: 0, asCopies: 1 })
    const one = await lab('a1b', 'a1')
    // Two that take nothing.
    for (const name of ['2', '3']) one.intrude(name, 'a', { answers: 'no-room' })
    one.send('a', 'b', 'large', 40_000)
    await one.run(12_000)
    expect(counts(one, 'a')).toMatchObject({ overCarriers: 1 })
    expect(one.node('1').archive.held.size).toBe(1)
    await one.run(90_000)
    one.cut('a', '1')
    one.connect('1', 'b')
    await one.run(3_000)
    expect(one.received('b')).toEqual(['large'])
  })

  it('[ME32] is carried once neighbours hold enough of it, and pieces outlive a restart of their maker', async () => {
    const made = await lab('a1234b', 'a1', 'a2', 'a3', 'a4')
    made.send('a', 'b', 'large', 40_000)
    await made.run(12_000)
    expect(made.node('a').taken).toContain('large')
    const { service, archive } = made.node('a')
    service.stop()
    await made.start('a', archive)
    made.connect('a', 'b')
    await made.run(3_000)
    expect(made.received('b')).toEqual(['large'])
    expect(made.node('a').proven).toEqual(['large'])
  })
})

describe('hostile pieces', () => {
  it('[ME23] pieces that never become whole drive out their own kind, and those that were driven out may come again', async () => {
    const made = await lab('axb', 'ax', 'xb')
    const mallory = made.intrude('mallory', 'b')
    const random = seededRandom(5)
    const tools = { primitives: noblePrimitives, random, code }
    const [half, other] = cutPieces(envelopeFor('b', { text: 'honest', now: made.clock.now() }), { k: 2, n: 2 }, tools)
    made.send('x', 'b', 'first')
    await made.run(500)
    const handed = (piece: Uint8Array, text: string) => ({
      kind: 'transfer' as const,
      transfer: { bundle: pieceBundle('b', { text, now: made.clock.now(), piece }), hops: 1, hopLimit: 9, copies: 1 },
    })
    const friend = made.intrude('friend', 'b')
    friend.say(handed(half ?? new Uint8Array(), 'honest'))
    await made.run(500)
    const halves = Array.from({ length: MAX_SETS + 20 }, () => cutPieces(random.bytes(3_000), { k: 2, n: 2 }, tools)[0] ?? new Uint8Array())
    const noise = (number: number) => handed(halves[number] ?? new Uint8Array(), `noise ${number}`)
    for (let number = 0; number < halves.length; number += 1) mallory.say(noise(number))
    await made.run(2_000)
    mallory.heard.length = 0
    for (const number of [0, MAX_SETS + 19]) {
      mallory.say(noise(number))
      await made.run(200)
    }
    // The first one had to go and is taken once more; the last one is here still.
    expect(mallory.heard.filter(({ kind }) => kind === 'answer')).toMatchObject([{ outcome: 'taken' }, { outcome: 'known' }])
    friend.say(handed(other ?? new Uint8Array(), 'honest'))
    await made.run(500)
    expect(made.received('b')).toEqual(['first', 'honest'])
  })

  it('[ME23] a forged piece beside honest ones spoils nothing, and a set of garbage opens to nothing', async () => {
    const made = await lab('b')
    const tools = { primitives: noblePrimitives, random: seededRandom(6), code }
    const friend = made.intrude('friend', 'b')
    const pieces = cutPieces(envelopeFor('b', { text: 'honest', now: made.clock.now() }), { k: 2, n: 3 }, tools)
    const forged = (pieces[1] ?? new Uint8Array()).slice()
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1
    const garbage = cutPieces(new Uint8Array(500), { k: 2, n: 2 }, tools)
    for (const piece of [pieces[0], forged, ...garbage, pieces[2]])
      friend.say({
        kind: 'transfer',
        transfer: {
          bundle: pieceBundle('b', { text: 'honest', now: made.clock.now(), piece: piece ?? new Uint8Array() }),
          hops: 1,
          hopLimit: 9,
          copies: 1,
        },
      })
    await made.run(500)
    expect(made.received('b').filter((text) => text === 'honest')).toEqual(['honest'])
  })
})

describe('the plan', () => {
  it('[ME32] pieces are chosen only where they are no worse than copies of the same bytes', () => {
    const wish = fc.record({
      survival: fc.double({ min: 0.01, max: 1, noNaN: true }),
      paths: fc.integer({ min: 1, max: 12 }),
      budget: fc.integer({ min: 1, max: 16 }),
      bytes: fc.integer({ min: 100, max: 100_000 }),
    })
    fc.assert(
      fc.property(wish, ({ survival, paths, budget, bytes }) => {
        const carried = planCarried({ survival, paths, budget, bytes })
        expect(carried.arrival).toBeGreaterThanOrEqual(1 - (1 - survival) ** budget - 1e-9)
        // What it costs, with its framing: never more than the copies.
        if (carried.kind === 'pieces')
          expect(carried.n * carried.copies * ((bytes + 48) / carried.k + carried.n * 16)).toBeLessThanOrEqual(budget * (bytes + 96))
        const live = planPieces({ survival, paths, budget: 1.6, bytes })
        expect(live.arrival).toBeGreaterThanOrEqual(survival)
        if (live.kind === 'pieces') expect(live.n * ((bytes + 48) / live.k + live.n * 16)).toBeLessThanOrEqual(1.6 * (bytes + 96))
      }),
    )
    expect(planPieces({ survival: 1, paths: 2, budget: 1.6, bytes: LARGE })).toMatchObject({ kind: 'pieces', k: 2, n: 2 })
    expect(planPieces({ survival: 0.9, paths: 2, budget: 1.6, bytes: LARGE })).toMatchObject({ kind: 'copies' })
    expect(planPieces({ survival: 0.9, paths: 3, budget: 1.6, bytes: LARGE })).toMatchObject({ kind: 'pieces', k: 2, n: 3 })
  })
})
