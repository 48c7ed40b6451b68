import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { noblePrimitives } from '../e2ee/primitives.ts'
import { type DeviceId, deviceIdFromKey } from '../ids.ts'
import { type Identity, makeIdentity, openIdentity } from '../identity/index.ts'
import type { Visibility } from '../presence/index.ts'
import { MemoryLan } from '../testing/memory-lan.ts'
import { RecordingLogger } from '../testing/recording-logger.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import { VirtualClock } from '../testing/virtual-clock.ts'
import { decodeLanAnnouncement, encodeLanAnnouncement } from '../wire/lan.ts'
import { LAN_TAG_BYTES, MAX_LAN_BYTES, MAX_LAN_TAGS } from '../wire/limits.ts'
import { Announcer, EPOCH_MS, MAX_LAN_CONTACTS } from './announcer.ts'
import { Hearing, MAX_HEARD_OF_ALL, MAX_HEARD_OF_ONE } from './hearing.ts'
import { LanService } from './lan-service.ts'
import { LanKeys, type LanPeer, makeTag, tagMessage } from './tags.ts'

const identityOf = (seed: number): Identity => openIdentity(noblePrimitives, makeIdentity(seededRandom(seed), 0))
const peerOf = ({ device, dhKey }: Identity): LanPeer => ({ device, dhKey })
const PORTS = { tcp4: 4001, tcp6: 0 }

/** A device on a memory network, with what it has seen. */
class Node {
  readonly identity: Identity
  readonly seen: { readonly device: DeviceId; readonly addresses: readonly string[] }[] = []
  readonly service: LanService
  readonly contacts: LanPeer[] = []
  readonly address: string
  visibility: Visibility = 'contacts'

  constructor(lan: MemoryLan, { seed, address, clock }: { seed: number; address: string; clock: VirtualClock }) {
    this.identity = identityOf(seed)
    this.address = address
    this.service = new LanService({
      identity: this.identity,
      primitives: noblePrimitives,
      discovery: lan.join(address),
      clock,
      random: seededRandom(seed),
      logger: new RecordingLogger(),
      visibility: () => this.visibility,
      contacts: () => this.contacts,
      ports: () => PORTS,
      onSeen: (device, addresses) => void this.seen.push({ device, addresses }),
    })
  }
}

/** Two devices; `a` has the smaller id. */
function pair(): { lan: MemoryLan; clock: VirtualClock; a: Node; b: Node } {
  const lan = new MemoryLan()
  const clock = new VirtualClock()
  const nodes = [1, 2].map((seed) => new Node(lan, { seed, address: `10.0.0.${seed}`, clock }))
  const [a, b] = nodes.sort((left, right) => (left.identity.device < right.identity.device ? -1 : 1)) as [Node, Node]
  a.contacts.push(peerOf(b.identity))
  b.contacts.push(peerOf(a.identity))
  return { lan, clock, a, b }
}

describe('meeting on a local network', () => {
  it('[LD1] a newcomer is seen at once, and sees at once who was there, without waiting for the next beat', async () => {
    const { clock, a, b } = pair()
    await a.service.start()
    await b.service.start()
    await clock.advance(1_000)
    expect(a.seen[0]?.device).toBe(b.identity.device)
    expect(b.seen[0]?.device).toBe(a.identity.device)
  })

  it('[LD1] who starts anew is answered again, although its address was heard a moment ago', async () => {
    const { lan, clock, a, b } = pair()
    await a.service.start()
    await b.service.start()
    await clock.advance(3_000)
    await b.service.stop()
    const again = new Node(lan, { seed: 7, address: b.address, clock })
    await again.service.start()
    await clock.advance(1_000)
    expect(again.service.counts().heard).toBeGreaterThan(0)
  })

  it('[LD5] a device is sought where the network says it is, and nowhere else', async () => {
    const { lan, clock, a, b } = pair()
    await a.service.start()
    await b.service.start()
    lan.beat()
    await clock.advance(1_000)
    const places = [...a.seen, ...b.seen].flatMap(({ addresses }) => addresses)
    expect(new Set(places)).toEqual(new Set(['/ip4/10.0.0.1/tcp/4001', '/ip4/10.0.0.2/tcp/4001']))
  })

  it('[LD7] the device with the smaller id dials at once, the other a second later', async () => {
    const { clock, a, b } = pair()
    await a.service.start()
    await b.service.start()
    await clock.advance(999)
    expect([a.seen.length > 0, b.seen.length]).toEqual([true, 0])
    await clock.advance(1)
    expect(b.seen.length).toBeGreaterThan(0)
  })

  it('[LD2] one side is enough: who knows us is recognised although it is told nothing', async () => {
    const { lan, clock, a, b } = pair()
    b.visibility = 'nobody'
    await a.service.start()
    await b.service.start()
    lan.beat()
    await clock.advance(1_000)
    expect([a.seen.length, b.seen[0]?.device]).toEqual([0, a.identity.device])
  })

  it('[LD3] [LD11] everyone is shown the device, contacts and strangers; nobody is shown nothing', async () => {
    const { lan, clock, a, b } = pair()
    const stranger = new Node(lan, { seed: 3, address: '10.0.0.3', clock })
    b.visibility = 'everyone'
    await Promise.all([a, b, stranger].map(({ service }) => service.start()))
    lan.beat()
    expect(stranger.service.nearby()).toEqual([b.identity.device])
    // [LD11] Programs of others that ask by libp2p's own service are told of nobody else.
    expect([a, b].map(({ address }) => lan.named(address))).toEqual([null, `/ip4/${b.address}/tcp/${PORTS.tcp4}/p2p/${b.identity.device}`])
    expect(stranger.seen).toEqual([])
    expect(a.seen[0]?.device).toBe(b.identity.device)
    b.visibility = 'nobody'
    await clock.advance(15_001)
    lan.beat()
    expect(stranger.service.nearby()).toEqual([])
  })

  it('[LD4] clocks may be a time zone apart, not days', async () => {
    const { lan, clock, a, b } = pair()
    await a.service.start()
    const said = new Announcer({ ...announcerOf(b.identity), contacts: () => [peerOf(a.identity)], clock: ahead(clock, 23 * 3_600_000) })
    for (const bytes of said.announcements('10.0.0.9')) lan.inject(bytes, '10.0.0.9')
    expect(a.seen).toHaveLength(1)
    const late = new Announcer({ ...announcerOf(b.identity), contacts: () => [peerOf(a.identity)], clock: ahead(clock, 25 * 3_600_000) })
    for (const bytes of late.announcements('10.0.0.9')) lan.inject(bytes, '10.0.0.9')
    expect(a.seen).toHaveLength(1)
  })

  it('nothing is heard or waited for after a stop', async () => {
    const { lan, clock, a, b } = pair()
    await a.service.start()
    await b.service.start()
    await b.service.stop()
    lan.beat()
    await clock.advance(5_000)
    expect(b.seen).toEqual([])
  })
})

const ahead = (clock: VirtualClock, by: number): VirtualClock => {
  const other = new VirtualClock(clock.now())
  other.jump(by)
  return other
}

const announcerOf = (identity: Identity) => ({
  primitives: noblePrimitives,
  clock: new VirtualClock(),
  random: seededRandom(9),
  keys: new LanKeys(noblePrimitives, identity),
  deviceKey: identity.deviceKey,
  visibility: (): Visibility => 'contacts',
  contacts: (): readonly LanPeer[] => [],
  ports: () => PORTS,
})

const tagsOf = (bytes: Uint8Array | undefined): string[] => decodeLanAnnouncement(bytes ?? new Uint8Array()).tags.map(String)

describe('what is announced', () => {
  const self = identityOf(1)
  const others = [2, 3, 4].map((seed) => peerOf(identityOf(seed)))
  const announcer = (change: Partial<ReturnType<typeof announcerOf>> = {}) => new Announcer({ ...announcerOf(self), ...change })

  it('[LD2] tags change with time and address, and stay while neither changes', () => {
    const clock = new VirtualClock(EPOCH_MS * 1_000)
    const one = announcer({ clock, contacts: () => others })
    const at = (address: string): string[] => tagsOf(one.announcements(address)[0])
    const first = at('10.0.0.1')
    clock.jump(EPOCH_MS - 1)
    expect(at('10.0.0.1')).toEqual(first)
    expect(at('10.0.0.2').filter((tag) => first.includes(tag))).toEqual([])
    clock.jump(1)
    expect(at('10.0.0.1').filter((tag) => first.includes(tag))).toEqual([])
  })

  it('[LD2] a tag recorded elsewhere is worth nothing at another address', async () => {
    const { lan, a, b } = pair()
    await a.service.start()
    const [bytes] = new Announcer({ ...announcerOf(b.identity), contacts: () => [peerOf(a.identity)] }).announcements('10.0.0.9')
    lan.inject(bytes ?? new Uint8Array(), '10.0.0.66')
    expect(a.seen).toEqual([])
    lan.inject(bytes ?? new Uint8Array(), '10.0.0.9')
    expect(a.seen).toHaveLength(1)
  })

  it('[LD2] two contacts announce no tag in common', () => {
    const [one, two] = [identityOf(1), identityOf(2)]
    const said = [
      new Announcer({ ...announcerOf(one), contacts: () => [peerOf(two)], random: seededRandom(1) }),
      new Announcer({ ...announcerOf(two), contacts: () => [peerOf(one)], random: seededRandom(2) }),
    ].map((each) => tagsOf(each.announcements('10.0.0.1')[0]))
    expect(said[0]?.filter((tag) => said[1]?.includes(tag))).toEqual([])
  })

  it('[LD3] the number of tags tells no more than the next multiple of 16, and their order nothing', () => {
    const counts = [0, 1, 15, 16, 17, 40].map((count) => {
      const contacts = Array.from({ length: count }, (_, at) => ({ device: identityOf(at + 2).device, dhKey: identityOf(at + 2).dhKey }))
      return tagsOf(announcer({ contacts: () => contacts }).announcements('10.0.0.1')[0]).length
    })
    expect(counts).toEqual([16, 16, 16, 16, 32, 48])
    const [bytes] = announcer({ contacts: () => others }).announcements('10.0.0.1')
    const tags = decodeLanAnnouncement(bytes ?? new Uint8Array()).tags.map((tag) =>
      [...tag].map((byte) => String.fromCharCode(byte)).join(''),
    )
    expect(tags).toEqual(tags.toSorted())
  })

  it('[LD3] a thousand contacts take several announcements that fit a datagram; what is beyond is left out', () => {
    const { dhKey } = identityOf(2)
    const crowd = Array.from({ length: MAX_LAN_CONTACTS + 50 }, (_, at) => ({ device: deviceOf(at), dhKey }))
    const said = announcer({ contacts: () => crowd }).announcements('10.0.0.1')
    expect(said).toHaveLength(MAX_LAN_CONTACTS / MAX_LAN_TAGS)
    expect(said.every((bytes) => bytes.length <= MAX_LAN_BYTES)).toBe(true)
  })

  it('[LD3] no device id or account is in what strangers see', () => {
    const [bytes] = announcer({ contacts: () => others }).announcements('10.0.0.1')
    expect(String(bytes)).not.toContain(String(self.deviceKey))
    expect(announcer({ visibility: () => 'nobody' }).announcements('10.0.0.1')).toEqual([])
    expect(announcer({ ports: () => ({ tcp4: 0, tcp6: 0 }) }).announcements('10.0.0.1')).toEqual([])
  })
})

const KEYS = Array.from({ length: 2_000 }, (_, at) =>
  Uint8Array.from({ length: 32 }, (__, byte) => (byte < 4 ? (at >> (8 * byte)) & 0xff : 1)),
)
const deviceOf = (number: number): DeviceId => deviceIdFromKey(KEYS[number] ?? new Uint8Array(32))

describe('hostile announcements', () => {
  it('[LD6] ten thousand from one address are bounded, counted, and do not silence others', async () => {
    const { lan, clock, a, b } = pair()
    await a.service.start()
    for (let number = 0; number < 10_000; number += 1) lan.inject(Uint8Array.of(8, number & 0x7f), '10.0.0.66')
    const { heard, ignored } = a.service.counts()
    expect(heard).toBe(MAX_HEARD_OF_ONE)
    expect(ignored).toBe(10_000 - MAX_HEARD_OF_ONE)
    await b.service.start()
    await clock.advance(1_000)
    expect(a.seen[0]?.device).toBe(b.identity.device)
  })

  it('[LD6] many addresses together are bounded, and heard again in the next window', () => {
    const hearing = new Hearing()
    const shout = (now: number): number =>
      Array.from({ length: 5_000 }, (_, at) => hearing.admits(`10.0.${at >> 6}.${at & 63}`, now)).filter(Boolean).length
    // 256 addresses are counted; each of them may speak again, until all together have said enough.
    expect([shout(0), shout(1), shout(2)]).toEqual([256, 256, 0])
    expect(shout(5_000)).toBe(256)
    expect(MAX_HEARD_OF_ALL).toBe(512)
  })

  it('[LD6] a contact that has been recognised is heard beside ten thousand made-up addresses, and nobody who only shows its key', async () => {
    const { lan, clock, a, b } = pair()
    await Promise.all([a.service.start(), b.service.start()])
    await clock.advance(1_000)
    const epoch = Math.floor(clock.now() / EPOCH_MS)
    const shown = encodeLanAnnouncement({ epoch, ...PORTS, tags: [], deviceKey: b.identity.deviceKey })
    lan.inject(shown, '10.0.0.77')
    await clock.advance(10_000)
    const crowd = (): void => {
      for (let number = 0; number < 10_000; number += 1) lan.inject(Uint8Array.of(8), `10.${number >> 8}.9.${number & 255}`)
    }
    crowd()
    crowd()
    const meetings = (): number => a.seen.filter(({ addresses }) => addresses[0]?.includes(`/${b.address}/`)).length
    const before = [meetings(), a.seen.length]
    lan.inject(shown, '10.0.0.77')
    lan.beat()
    await clock.advance(0)
    expect([meetings() - (before[0] ?? 0), a.seen.length - (before[1] ?? 0)]).toEqual([1, 1])
  })

  it('[LD6] newcomers make us announce once a second at most, however many come', async () => {
    const { lan, clock, a } = pair()
    const listener = new Node(lan, { seed: 5, address: '10.0.0.5', clock })
    await listener.service.start()
    await a.service.start()
    await clock.advance(2_000)
    const before = listener.service.counts().heard
    const epoch = Math.floor(clock.now() / EPOCH_MS)
    listener.visibility = 'nobody'
    for (let number = 0; number < 200; number += 1) {
      lan.inject(encodeLanAnnouncement({ epoch, ...PORTS, tags: [], deviceKey: null }), `10.0.1.${number}`)
    }
    await clock.advance(999)
    expect(listener.service.counts().heard - before - 200).toBe(1)
    await clock.advance(1_000)
    expect(listener.service.counts().heard - before - 200).toBeLessThanOrEqual(2)
  })

  it('garbage of any kind is counted and never throws', async () => {
    const { lan, a } = pair()
    await a.service.start()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => lan.inject(bytes, '10.0.0.66')),
      { numRuns: 300 },
    )
    const { heard, ignored, malformed } = a.service.counts()
    expect(heard + ignored).toBeGreaterThanOrEqual(300)
    expect(malformed).toBeGreaterThan(0)
    expect(a.seen).toEqual([])
  })

  it('a key that is worth nothing has no tag, and takes no other contact with it', () => {
    const good = peerOf(identityOf(2))
    const keys = new LanKeys(noblePrimitives, identityOf(1))
    expect(keys.of([{ device: deviceOf(7), dhKey: new Uint8Array(32) }, good]).map(({ device }) => device)).toEqual([good.device])
  })
})

describe('announcements on the wire', () => {
  const tag = fc.uint8Array({ minLength: LAN_TAG_BYTES, maxLength: LAN_TAG_BYTES })
  const port = fc.integer({ min: 0, max: 65_535 })
  const announcement = fc.record({
    epoch: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    tcp4: port,
    tcp6: port,
    tags: fc.array(tag, { maxLength: MAX_LAN_TAGS }),
    deviceKey: fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 })),
  })

  it('come back as they were', () => {
    fc.assert(
      fc.property(announcement, (fields) => {
        expect(decodeLanAnnouncement(encodeLanAnnouncement(fields))).toEqual(fields)
      }),
    )
  })

  it('of the largest kind fit the limit', () => {
    const tags = Array.from({ length: MAX_LAN_TAGS }, () => new Uint8Array(LAN_TAG_BYTES))
    const bytes = encodeLanAnnouncement({ epoch: 2 ** 32 - 1, tcp4: 65_535, tcp6: 65_535, tags, deviceKey: new Uint8Array(32) })
    expect(bytes.length).toBeLessThanOrEqual(MAX_LAN_BYTES)
  })

  it.each([
    ['a port too large', encodeLanAnnouncement({ epoch: 1, tcp4: 65_536, tcp6: 0, tags: [], deviceKey: null })],
    [
      'too many tags',
      encodeLanAnnouncement({ epoch: 1, ...PORTS, tags: Array(MAX_LAN_TAGS + 1).fill(new Uint8Array(8)), deviceKey: null }),
    ],
    ['a short key', encodeLanAnnouncement({ epoch: 1, ...PORTS, tags: [], deviceKey: new Uint8Array(31) })],
    ['a broken tag', Uint8Array.of(34, 3, 1, 2, 3)],
  ])('with %s are refused', (_, bytes) => {
    expect(() => decodeLanAnnouncement(bytes)).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
  })

  it('[LD2] a tag has these bytes', () => {
    const message = tagMessage({ epoch: 2_000_000, tcp4: 4001, tcp6: 0, address: '192.168.1.20' })
    expect(new TextDecoder().decode(message)).toBe('2000000/4001/0/192.168.1.20')
    expect([...makeTag(noblePrimitives, new Uint8Array(32), message)]).toHaveLength(LAN_TAG_BYTES)
  })
})
