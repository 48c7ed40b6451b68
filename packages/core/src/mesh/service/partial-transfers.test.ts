import { hex } from '@scure/base'
import { sha256 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cureKeyOf, type Intruder, MeshLab, noisy, tagOf } from '../../testing/mesh-lab.ts'
import { seededRandom } from '../../testing/seeded-random.ts'
import { decodeBundle, encodeBundle, MAX_PART_BYTES, type NeighbourFrameFields, type OfferFields } from '../../wire/mesh-bundle.ts'
import { bundleHeader, type BundleId, type BundleKey, headerOf, meshAddress } from '../bundle.ts'
import { controlFrames } from '../control.ts'
import { BEGUN_LIFE_MS, BegunBundles, MAX_BEGUN, MAX_BEGUN_BYTES } from './begun-bundles.ts'

const primitives = { sha256: (bytes: Uint8Array): Uint8Array => sha256(bytes) }
const HOUR_MS = 3_600_000
const SLOW = 16_384
const LARGE = 200_000

/** Ana holds something large for bo, and meets the mule. */
async function withMule(): Promise<MeshLab> {
  const lab = new MeshLab()
  for (const name of ['ana', 'mule', 'bo']) await lab.start(name)
  lab.sendChunk('ana', 'bo', 'large', LARGE)
  await lab.run(200)
  return lab
}

const bytesIn = (lab: MeshLab, name: string): number =>
  lab
    .node(name)
    .service.status()
    .neighbours.reduce((sum, each) => sum + each.bytesIn, 0)

/** Contacts too short for all of it; returns how many there were, and the bytes that came in at `to`. */
async function meetShortly(lab: MeshLab, [from, to]: readonly [string, string], isDone: () => boolean): Promise<[number, number]> {
  let bytes = 0
  for (let contact = 1; contact <= 12; contact += 1) {
    lab.connect(from, to, SLOW)
    await lab.run(4_000)
    bytes += bytesIn(lab, to)
    lab.cut(from, to)
    await lab.run(500)
    if (isDone()) return [contact, bytes]
  }
  throw new Error('twelve contacts were not enough')
}

describe('transfers that break off', () => {
  it('[ME33] go on where they stopped: something large crosses several short contacts, each byte about once', async () => {
    const lab = await withMule()
    const mule = lab.node('mule')
    const [contacts, bytes] = await meetShortly(lab, ['ana', 'mule'], () => mule.archive.held.size === 1)
    expect(contacts).toBeGreaterThan(1)
    // What is on its way is lost with its contact.
    expect(bytes).toBeLessThan(1.1 * LARGE + contacts * 2 * MAX_PART_BYTES)
    await meetShortly(lab, ['mule', 'bo'], () => lab.received('bo').length === 1)
    expect(lab.received('bo')).toEqual(['large'])
  })

  it('[ME33] go on with another neighbour that has the same bundle', async () => {
    const lab = new MeshLab()
    for (const name of ['ana', 'one', 'two', 'bo']) await lab.start(name)
    lab.sendChunk('ana', 'bo', 'large', LARGE)
    await lab.run(200)
    for (const name of ['one', 'two']) lab.connect('ana', name)
    await lab.run(15_000)
    for (const name of ['one', 'two']) lab.cut('ana', name)
    lab.connect('one', 'bo', SLOW)
    await lab.run(5_000)
    lab.cut('one', 'bo')
    expect(lab.received('bo')).toEqual([])
    lab.connect('two', 'bo', SLOW)
    await lab.run(1_000)
    const before = bytesIn(lab, 'bo')
    await lab.run(12_000)
    expect(lab.received('bo')).toEqual(['large'])
    expect(before + bytesIn(lab, 'bo')).toBeLessThan(2 * LARGE)
  })
})

/** Someone's bundle for bo, and what it takes to offer it in parts. */
function made(now: number, text = 'large', size = 100_000) {
  const noise = seededRandom(size).bytes(size)
  const bytes = encodeBundle({
    kind: 'chunk',
    deliveryTag: tagOf('bo'),
    expiryHour: Math.ceil(now / HOUR_MS) + 5,
    cureLock: sha256(cureKeyOf(text)).slice(0, 16),
    priority: 0,
    sealed: noisy(text, noise),
  })
  const { sealed: _sealed, ...head } = decodeBundle(bytes)
  const header = bundleHeader(bytes, primitives)
  const offer: OfferFields = { id: header.id, bytes: bytes.length, head, hops: 1, hopLimit: 9, copies: 1 }
  return { bytes, header, offer }
}

type Made = ReturnType<typeof made>

async function feed(lab: MeshLab, by: Intruder, { bytes, header, offer }: Made, { from = 0, to = bytes.length, wrong = false } = {}) {
  by.say({ kind: 'offer', offer })
  await lab.run(100)
  for (let offset = from; offset < to; offset += MAX_PART_BYTES) {
    const part = bytes.slice(offset, Math.min(to, offset + MAX_PART_BYTES))
    if (wrong) part[0] = (part[0] ?? 0) ^ 1
    by.say({ kind: 'part', part: { key: header.key, offset, part } })
  }
  await lab.run(300)
}

const answers = ({ heard }: Intruder): NeighbourFrameFields[] => heard.filter(({ kind }) => kind === 'answer')

describe('hostile parts', () => {
  it('[ME33] wrong bytes are thrown away as a whole, their only source is named, and the next try begins anew', async () => {
    const lab = new MeshLab()
    await lab.start('bo')
    const [mallory, friend] = ['mallory', 'friend'].map((name) => lab.intrude(name, 'bo')) as [Intruder, Intruder]
    const large = made(lab.clock.now())
    await feed(lab, mallory, large, { wrong: true })
    expect(answers(mallory)).toMatchObject([{ outcome: 'welcome', offset: 0 }, { outcome: 'damaged' }])
    expect(lab.node('bo').offences).toEqual([{ peer: 'mallory', code: 'BAD_FRAME' }])
    await feed(lab, friend, large)
    expect(answers(friend)).toMatchObject([{ outcome: 'welcome', offset: 0 }, { outcome: 'taken' }])
    expect(lab.received('bo')).toEqual(['large'])
  })

  it('[ME33] a poisoned beginning costs one try: nobody honest is named, and after it each goes on alone', async () => {
    const lab = new MeshLab()
    await lab.start('bo')
    const mallory = lab.intrude('mallory', 'bo')
    const large = made(lab.clock.now())
    await feed(lab, mallory, large, { to: MAX_PART_BYTES, wrong: true })
    // Its link ends: what is here of it stays.
    mallory.leave()
    const friend = lab.intrude('friend', 'bo')
    await feed(lab, friend, large, { from: MAX_PART_BYTES })
    expect(answers(friend)).toMatchObject([{ outcome: 'welcome', offset: MAX_PART_BYTES }, { outcome: 'damaged' }])
    expect(lab.node('bo').offences).toEqual([])
    const again = lab.intrude('mallory', 'bo')
    await feed(lab, again, large, { to: MAX_PART_BYTES, wrong: true })
    again.leave()
    await feed(lab, friend, large)
    expect(answers(friend).slice(2)).toMatchObject([{ outcome: 'welcome', offset: 0 }, { outcome: 'taken' }])
    expect(lab.received('bo')).toEqual(['large'])
  })

  it('[ME33] parts out of turn, beyond the end, of something else or unasked break the rules or change nothing', async () => {
    const lab = new MeshLab()
    await lab.start('bo')
    const mallory = lab.intrude('mallory', 'bo')
    const { header, offer, bytes } = made(lab.clock.now())
    const part = (offset: number, length = 100): void =>
      mallory.say({ kind: 'part', part: { key: header.key, offset, part: bytes.slice(0, length) } })
    part(0)
    mallory.say({ kind: 'offer', offer })
    part(MAX_PART_BYTES)
    part(0)
    part(100, MAX_PART_BYTES)
    for (let offset = 100 + MAX_PART_BYTES; offset < bytes.length; offset += MAX_PART_BYTES) part(offset, MAX_PART_BYTES)
    await lab.run(500)
    // Out of turn, and over the end.
    expect(lab.node('bo').offences.map(({ code }) => code)).toEqual(['BAD_FRAME', 'BAD_FRAME'])
    expect(lab.received('bo')).toEqual([])
  })

  it('[ME33] an offer that lies about its lock, kind or recipient is no better for being whole', async () => {
    const lab = new MeshLab()
    await lab.start('bo')
    const large = made(lab.clock.now())
    for (const [at, lie] of [
      { kind: 'piece' },
      { deliveryTag: tagOf('ana') },
      { cureLock: new Uint8Array(16) },
      { kind: 'envelope', priority: 2 },
    ].entries()) {
      const mallory = lab.intrude(`mallory ${at}`, 'bo')
      await feed(lab, mallory, { ...large, offer: { ...large.offer, head: { ...large.offer.head, ...lie } as OfferFields['head'] } })
      expect(answers(mallory).at(-1)).toMatchObject({ outcome: 'damaged' })
    }
    expect(lab.received('bo')).toEqual([])
    expect([...lab.node('bo').archive.held]).toEqual([])
  })

  it('[ME33] a neighbour that asks for more than there is, or for what was not offered, breaks the rules', async () => {
    const lab = new MeshLab()
    await lab.start('ana')
    lab.sendChunk('ana', 'bo', 'large', LARGE)
    await lab.run(200)
    const mallory = lab.intrude('mallory', 'ana')
    mallory.say(hello())
    await lab.run(5_000)
    const offered = mallory.heard.find((frame) => frame.kind === 'offer')
    const key = offered?.kind === 'offer' ? offered.offer.id.slice(0, 16) : ''
    mallory.say({ kind: 'answer', key, outcome: 'welcome', offset: 10_000_000 })
    await lab.run(500)
    expect(lab.node('ana').offences).toEqual([{ peer: 'mallory', code: 'BAD_FRAME' }])
    expect(mallory.heard.some(({ kind }) => kind === 'part')).toBe(false)
    mallory.say({ kind: 'answer', key, outcome: 'welcome', offset: 0 })
    await lab.run(500)
    mallory.say({ kind: 'answer', key, outcome: 'welcome', offset: 0 })
    await lab.run(500)
    expect(lab.node('ana').offences).toHaveLength(2)
    expect(mallory.heard.filter(({ kind }) => kind === 'part')).toHaveLength(Math.ceil(LARGE / MAX_PART_BYTES))
  })
})

describe('beginnings', () => {
  const header = (text: string, bytes: number, expiresAt = 1e15) => {
    const id = hex.encode(sha256(new TextEncoder().encode(text))) as BundleId
    const head = { kind: 'envelope', deliveryTag: new Uint8Array(16), expiryHour: 1, cureLock: new Uint8Array(16), priority: 1 } as const
    return { ...headerOf(head, { id, bytes }, primitives), expiresAt }
  }

  it('[ME33] are bounded in number and bytes, whoever brings most loses its oldest, and they expire', () => {
    const dropped: BundleKey[] = []
    const book = new BegunBundles((key) => dropped.push(key))
    const begin = (text: string, peer: string, bytes: number, now: number): BundleKey => {
      const begun = book.resume(header(text, bytes), peer, now)
      begun.length = 1
      book.keep(begun, peer, now)
      return begun.header.key
    }
    const honest = begin('honest', 'friend', 50_000, 1)
    for (let number = 0; number < 3 * MAX_BEGUN; number += 1) begin(`noise ${number}`, 'mallory', 200_000, 2)
    expect(book.usedBytes).toBeLessThanOrEqual(MAX_BEGUN_BYTES)
    expect(dropped).not.toContain(honest)
    for (let number = 0; number < 3 * MAX_BEGUN; number += 1) begin(`small ${number}`, 'mallory', 40_000, 3)
    expect(book.size).toBeLessThanOrEqual(MAX_BEGUN)
    expect(book.resume(header('honest', 50_000), 'friend', 4).length).toBe(1)
    book.expire({ now: 0, mono: 3 + BEGUN_LIFE_MS })
    expect(book.size).toBe(0)
    expect(book.usedBytes).toBe(0)
    begin('late', 'friend', 10, 5)
    book.expire({ now: 1e15, mono: 5 })
    expect(book.size).toBe(0)
  })

  it('[ME33] another bundle under the same first bytes begins anew, and what is forgotten leaves nothing', () => {
    const book = new BegunBundles(() => undefined)
    const begun = book.resume(header('one', 100), 'a', 1)
    begun.length = 50
    book.keep(begun, 'a', 1)
    const other = { ...header('one', 100), id: 'f'.repeat(64) as BundleId }
    expect(book.resume(other, 'b', 2).length).toBe(0)
    // And what was begun of the first stays.
    expect(book.resume(begun.header, 'a', 3).length).toBe(50)
    book.keep(begun, 'a', 3)
    book.forget(begun.header.id)
    expect([book.size, book.usedBytes]).toEqual([0, 0])
  })

  it('[ME33] whatever comes in whatever order, the bytes are counted right', () => {
    const step = fc.record({ text: fc.constantFrom('a', 'b', 'c'), peer: fc.constantFrom('x', 'y'), length: fc.nat(100), does: fc.nat(3) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const book = new BegunBundles(() => undefined)
        for (const [at, { text, peer, length, does }] of steps.entries()) {
          const begun = book.resume(header(text, 100), peer, at)
          begun.length = Math.max(begun.length, length)
          if (does === 0) book.damaged(begun)
          else if (does === 1) book.forget(begun.header.id)
          else book.keep(begun, peer, at)
          expect(book.usedBytes).toBe(book.size * 100)
        }
      }),
    )
  })
})

/** An address of its own, so that something may be left to it. */
function hello(): NeighbourFrameFields {
  const [frame = new Uint8Array()] = controlFrames({ addresses: [meshAddress(tagOf('nobody'), primitives)] })
  return { kind: 'control', frame }
}
