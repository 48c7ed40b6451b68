import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { linkContract, type LinkPair } from '../../testing/contracts/link.ts'
import { memoryLink } from '../../testing/mesh-lab.ts'
import { seededRandom } from '../../testing/seeded-random.ts'
import { BLUETOOTH_LE, simulatedRadio } from '../../testing/simulated-radio.ts'
import { VirtualClock } from '../../testing/virtual-clock.ts'
import { decodeLinkPacket, encodeLinkPacket, FRAGMENT_OVERHEAD_BYTES, MAX_FRAGMENTS } from '../../wire/mesh-packet.ts'
import { Assembler, ASSEMBLY_LIFE_MS, MAX_ASSEMBLIES, MAX_ASSEMBLY_BYTES } from './assembly.ts'
import { FrameLink } from './frame-link.ts'
import type { Link } from './link.ts'
import { Pace, PacedLink } from './paced-link.ts'

for (const [name, loss] of [
  ['Bluetooth LE', BLUETOOTH_LE.loss],
  ['Bluetooth LE at the edge of its range', 0.4],
  ['Bluetooth LE side by side', 0],
] as const)
  linkContract(name, async () => {
    const clock = new VirtualClock()
    const { a, b } = simulatedRadio({ ...BLUETOOTH_LE, loss }, { clock, random: seededRandom(3) })
    return { a, b, clock, pass: (ms) => clock.advance(ms), end: async () => a.close() }
  })

linkContract('a pipe', async () => pipe())
linkContract('a pipe that is paced', async () => pipe(20_000))

function pipe(bytesPerSecond?: number): LinkPair {
  const clock = new VirtualClock()
  const [a, b] = memoryLink()
  const paced = (link: Link): Link => (bytesPerSecond === undefined ? link : new PacedLink(link, new Pace(bytesPerSecond, clock, link.mtu)))
  return { a: paced(a), b: paced(b), clock, pass: (ms) => clock.advance(ms), end: async () => a.close() }
}

it('[ME22] no more than its owner allows goes over a paced link', async () => {
  const clock = new VirtualClock()
  const [a, b] = memoryLink()
  const paced = new PacedLink(a, new Pace(10_000, clock, a.mtu))
  let heard = 0
  void (async () => {
    for await (const packet of b.packets()) heard += packet.length
  })()
  for (let number = 0; number < 100; number += 1) void paced.send(new Uint8Array(1_000))
  for (let second = 1; second <= 4; second += 1) {
    for (let step = 0; step < 10; step += 1) await clock.advance(100)
    expect(heard).toBeLessThanOrEqual(paced.mtu + second * 10_000)
  }
  expect(heard).toBeGreaterThan(90_000)
  paced.close()
})

it('[ME22] links that share a pace are no faster together than one', async () => {
  const clock = new VirtualClock()
  const pace = new Pace(10_000, clock, 65_536)
  let heard = 0
  for (let number = 0; number < 5; number += 1) {
    const [a, b] = memoryLink()
    const paced = new PacedLink(a, pace)
    for (let packet = 0; packet < 100; packet += 1) void paced.send(new Uint8Array(1_000))
    void (async () => {
      for await (const packet of b.packets()) heard += packet.length
    })()
  }
  for (let step = 0; step < 40; step += 1) await clock.advance(100)
  expect(heard).toBeGreaterThan(65_536)
  expect(heard).toBeLessThanOrEqual(65_536 + 4 * 10_000)
})

it('[ME22] a large packet waits for its turn on a shared pace, and not until the others have nothing more', async () => {
  const clock = new VirtualClock()
  const pace = new Pace(10_000, clock, 60_000)
  await pace.turn(60_000)
  const ends = Array.from({ length: 4 }, () => memoryLink())
  const links = ends.map(([a]) => new PacedLink(a, pace))
  for (const small of links.slice(1)) for (let packet = 0; packet < 1_000; packet += 1) void small.send(new Uint8Array(1_000))
  let isThere = false
  void links[0]?.send(new Uint8Array(50_000)).then(() => (isThere = true))
  for (let step = 0; step < 60; step += 1) await clock.advance(100)
  expect(isThere).toBe(true)
})

const fragment = (frame: number, index: number, count: number, part = Uint8Array.of(index)) =>
  ({ kind: 'fragment', frame, index, count, part }) as const

describe('fragments', () => {
  it('[ME16] a neighbour that never answers ends it after ten tries', async () => {
    const clock = new VirtualClock()
    const { a } = simulatedRadio({ ...BLUETOOTH_LE, loss: 1 }, { clock, random: seededRandom(1) })
    const sent = new FrameLink(a, clock).send(new Uint8Array(2_000))
    await clock.advance(10_000)
    expect(await sent).toBe(false)
  })

  it('[ME17] in any order and repeated they make one frame', () => {
    const parts = fc
      .integer({ min: 1, max: 30 })
      .chain((count) => fc.tuple(fc.constant(count), fc.shuffledSubarray([...Array(count).keys()], { minLength: count })))
    fc.assert(
      fc.property(parts, ([count, order]) => {
        const assembler = new Assembler()
        const whole = [...order, ...order]
          .map((index) => assembler.add(fragment(1, index, count), 0))
          .filter((frame) => frame !== undefined)
        expect(whole).toEqual([Uint8Array.from({ length: count }, (_, at) => at)])
        expect(assembler.missing(1, count)).toEqual([])
      }),
    )
  })

  it('[ME17] those that never finish are bounded in number and bytes, the longest untouched going first', () => {
    const assembler = new Assembler()
    for (let frame = 1; frame <= MAX_ASSEMBLIES + 1; frame += 1) assembler.add(fragment(frame, 0, 2), 0)
    expect(assembler.add(fragment(1, 1, 2), 0)).toBeUndefined()
    expect(assembler.add(fragment(MAX_ASSEMBLIES + 1, 1, 2), 0)).toBeDefined()
    const large = new Assembler()
    const part = new Uint8Array(MAX_ASSEMBLY_BYTES / 2 + 1)
    large.add(fragment(1, 0, 2, part), 0)
    large.add(fragment(2, 0, 2, part), 0)
    expect(large.add(fragment(1, 1, 2), 0)).toBeUndefined()
  })

  it('[ME17] and given up after 30 seconds', () => {
    const assembler = new Assembler()
    assembler.add(fragment(1, 0, 2), 0)
    expect(assembler.add(fragment(1, 1, 2), ASSEMBLY_LIFE_MS)).toBeUndefined()
    expect(assembler.missing(1, 2)).toEqual([0])
  })

  it('[ME17] a fragment that contradicts the others is ignored', () => {
    const assembler = new Assembler()
    assembler.add(fragment(1, 0, 2), 0)
    expect(assembler.add(fragment(1, 1, 3), 0)).toBeUndefined()
    expect(assembler.add(fragment(1, 1, 2), 0)).toEqual(Uint8Array.of(0, 1))
  })

  it('[ME17] packets come back as they were, and leave room for their head', () => {
    const part = new Uint8Array(500 - FRAGMENT_OVERHEAD_BYTES)
    const packet = fragment(2 ** 32 - 1, MAX_FRAGMENTS - 1, MAX_FRAGMENTS, part)
    expect(encodeLinkPacket(packet).length).toBeLessThanOrEqual(500)
    expect(decodeLinkPacket(encodeLinkPacket(packet))).toEqual(packet)
    const status = { kind: 'status', frame: 7, missing: [1, 2] } as const
    expect(decodeLinkPacket(encodeLinkPacket(status))).toEqual(status)
  })

  it.each([fragment(1, 2, 2), fragment(1, 0, MAX_FRAGMENTS + 1), fragment(1, 0, 0)])(
    '[ME17] refuses what is out of range (%#)',
    (packet) => {
      expect(() => decodeLinkPacket(encodeLinkPacket(packet))).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
    },
  )
})
