/** On loopback only, and on ports of its own: nothing of this leaves the machine. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Discovery, LanSource } from '@skein/core'
import { discoveryContract } from '@skein/core/contracts'
import { decode, encode } from 'dns-packet'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLogger } from '../platform/logger.ts'
import { systemClock } from '../platform/system.ts'
import { MAX_MDNS_RECORDS } from './constants.ts'
import { broadcastOf, type Link, localLinks, onLink } from './interfaces.ts'
import { LanDiscovery } from './lan-discovery.ts'
import { answer, parseMdns, question } from './mdns-message.ts'

const LOOPBACK: Link = { family: 4, address: '127.0.0.1', zone: null, broadcast: '127.255.255.255', prefix: 8 }
/** Below the ports that systems hand out; each test takes the next one. */
let port = 21_000 + (process.pid % 5_000)
const logger = createLogger({ level: 'error' })

const discovery = (ports: { beacon: number | null; mdns: number | null }, links: () => readonly Link[] = () => [LOOPBACK]): LanDiscovery =>
  new LanDiscovery({ clock: systemClock, logger, links, ports })

async function eventually(holds: () => boolean, meanwhile: () => void = () => undefined): Promise<void> {
  for (const end = performance.now() + 10_000; !holds(); await new Promise((resolve) => setTimeout(resolve, 5))) {
    if (performance.now() > end) throw new Error('not in time')
    meanwhile()
  }
}

function contract(name: string, kinds: readonly ('beacon' | 'mdns')[]): void {
  discoveryContract(name, async () => {
    port += 2
    const ports = { beacon: kinds.includes('beacon') ? port : null, mdns: kinds.includes('mdns') ? port + 1 : null }
    const [a, b] = [discovery(ports), discovery(ports)]
    const hurry = (): void => {
      for (const each of [a, b]) each.hurry()
    }
    return {
      a,
      b,
      until: (holds) => eventually(holds, hurry),
      // Whatever is under way on loopback arrives before a datagram that is sent after it.
      pass: () => echo(hurry),
      end: async () => void (await Promise.all([a.stop(), b.stop()])),
    }
  })
}

async function echo(act: () => void): Promise<void> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  act()
  for (let round = 0; round < 20; round += 1) {
    socket.send('echo', socket.address().port, '127.0.0.1')
    await once(socket, 'message')
  }
  socket.close()
}

contract('beacon and mDNS on loopback', ['beacon', 'mdns'])
contract('beacon on loopback', ['beacon'])
contract('mDNS on loopback', ['mdns'])

const ears = (heard: { bytes: Uint8Array; from: LanSource }[], says: readonly Uint8Array[] = []) => ({
  announcements: () => says,
  heard: (bytes: Uint8Array, from: LanSource) => void heard.push({ bytes: Uint8Array.from(bytes), from }),
})

async function withTwo(
  work: (one: Discovery, two: Discovery, ports: { beacon: number; mdns: number }) => Promise<void>,
  links?: () => readonly Link[],
) {
  port += 2
  const ports = { beacon: port, mdns: port + 1 }
  const [one, two] = [discovery(ports, links), discovery(ports)]
  try {
    await work(one, two, ports)
  } finally {
    await Promise.all([one.stop(), two.stop()])
  }
}

describe('interfaces', () => {
  it('[LD8] an interface that comes is used without being told, and one that goes is left', async () => {
    let links: readonly Link[] = []
    await withTwo(
      async (one, two) => {
        const heard: { bytes: Uint8Array }[] = []
        await two.start(ears(heard as never))
        await one.start(ears([], [Uint8Array.of(1)]))
        await echo(() => one.hurry())
        expect(heard).toEqual([])
        links = [LOOPBACK]
        await eventually(() => heard.length > 0)
        links = []
        // Hurrying is heard for as long as the interface is used.
        await eventually(
          () => heard.splice(0).length === 0,
          () => one.hurry(),
        )
        await echo(() => one.hurry())
        expect(heard).toEqual([])
      },
      () => links,
    )
  })

  it('an address that cannot be used does no harm to the others', async () => {
    const broken: Link = { family: 4, address: '203.0.113.77', zone: null, broadcast: '203.0.113.255', prefix: 24 }
    const noBroadcast: Link = { ...LOOPBACK, address: '127.0.0.2', broadcast: null }
    await withTwo(
      async (one, two) => {
        const heard: { from: LanSource }[] = []
        await two.start(ears(heard as never))
        await one.start(ears([], [Uint8Array.of(7)]))
        await eventually(
          () => heard.some(({ from }) => from.address === '127.0.0.1'),
          () => one.hurry(),
        )
        expect(heard.some(({ from }) => from.address === '203.0.113.77')).toBe(false)
      },
      () => [broken, noBroadcast, LOOPBACK],
    )
  })

  it('are those of the machine without loopback; of IPv6 the link-local ones', () => {
    const base = { mac: '', cidr: null, internal: false } as const
    const found = localLinks({
      lo: [{ ...base, family: 'IPv4', address: '127.0.0.1', netmask: '255.0.0.0', internal: true }],
      eth0: [
        { ...base, family: 'IPv4', address: '192.168.1.20', netmask: '255.255.255.0' },
        { ...base, family: 'IPv6', address: 'fe80::1', netmask: 'ffff:ffff:ffff:ffff::', scopeid: 3 },
        { ...base, family: 'IPv6', address: '2001:db8::1', netmask: 'ffff:ffff:ffff:ffff::', scopeid: 0 },
      ],
      tun0: [{ ...base, family: 'IPv4', address: '10.8.0.2', netmask: '255.255.255.255' }],
    })
    expect(found).toEqual([
      { family: 4, address: '192.168.1.20', zone: null, broadcast: '192.168.1.255', prefix: 24 },
      { family: 6, address: 'fe80::1', zone: process.platform === 'win32' ? '3' : 'eth0', broadcast: null, prefix: 10 },
      { family: 4, address: '10.8.0.2', zone: null, broadcast: null, prefix: 32 },
    ])
  })

  it.each([
    ['192.168.1.99', null, true],
    ['169.254.7.7', null, true],
    ['192.168.2.1', null, false],
    ['9.9.9.9', null, false],
    ['127.0.0.1', null, false],
    ['10.8.0.3', null, false],
    ['fe80::9', 'eth0', true],
    ['fe80::9', 'eth1', false],
    ['fe80::9', null, false],
    ['2001:db8::9', null, false],
    ['2001:db8::9', 'eth0', false],
  ])('[LD10] %s at %s is on a link: %s', (address, zone, expected) => {
    const isNear = onLink([
      { family: 4, address: '192.168.1.20', zone: null, broadcast: '192.168.1.255', prefix: 24 },
      { family: 6, address: 'fe80::1', zone: 'eth0', broadcast: null, prefix: 10 },
      { family: 4, address: '10.8.0.2', zone: null, broadcast: null, prefix: 32 },
    ])
    expect(isNear({ address, zone })).toBe(expected)
    expect(onLink([])({ address, zone })).toBe(false)
  })

  it.each([
    ['10.1.2.3', '255.0.0.0', '10.255.255.255'],
    ['192.168.1.20', '255.255.255.252', '192.168.1.23'],
    ['192.168.1.20', '255.255.255.254', null],
    ['192.168.1.20', '255.0.255.0', null],
  ])('broadcast address of %s in %s is %s', (address, netmask, expected) => expect(broadcastOf({ address, netmask })).toBe(expected))
})

describe('mDNS messages', () => {
  const link: Link = { family: 4, address: '192.168.1.20', zone: null, broadcast: null, prefix: 24 }

  it('carry an announcement of any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 1_100 }), (bytes) => {
        const message = parseMdns(answer(bytes, link))
        expect(message.kind === 'announcements' ? message.announcements.map((each) => [...each]) : []).toEqual([[...bytes]])
      }),
    )
  })

  it('that take back say nothing, and questions are for us or not', () => {
    expect(parseMdns(answer(Uint8Array.of(1), link, 0))).toEqual({ kind: 'announcements', announcements: [] })
    expect(parseMdns(question())).toEqual({ kind: 'question' })
    expect(parseMdns(encode({ type: 'query', questions: [{ type: 'PTR', name: '_ipp._tcp.local' }] }))).toEqual({ kind: 'other' })
  })

  it('[LD6] of other services and of no sense are passed over, and never throw', () => {
    const printer = encode({
      type: 'response',
      answers: [
        { type: 'PTR', name: '_ipp._tcp.local', data: 'printer._ipp._tcp.local' },
        { type: 'TXT', name: 'printer._ipp._tcp.local', data: ['a0=x'] },
        { type: 'TXT', name: 'x._skein._udp.local', ttl: 120, data: ['no chunk'] },
      ],
    })
    expect(parseMdns(printer)).toEqual({ kind: 'other' })
    expect(parseMdns(new Uint8Array(9_001))).toEqual({ kind: 'absurd' })
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => void parseMdns(bytes)))
    const good = answer(new Uint8Array(600), link)
    const damage = fc.tuple(fc.nat(good.length - 1), fc.nat(255))
    fc.assert(fc.property(fc.array(damage, { minLength: 1, maxLength: 8 }), (changes) => void parseMdns(damaged(good, changes))))
  })

  it('[LD6] with more records than make sense are not decoded, whatever else is in them', () => {
    const records = (count: number): ReturnType<typeof parseMdns> =>
      parseMdns(
        encode({
          type: 'response',
          answers: [
            { type: 'TXT', name: 'x._skein._udp.local', ttl: 120, data: ['a0=x'] },
            ...Array.from({ length: count - 1 }, () => ({ type: 'PTR', name: '_skein._udp.local', data: 'x._skein._udp.local' }) as const),
          ],
        }),
      )
    expect(records(MAX_MDNS_RECORDS).kind).toBe('announcements')
    expect(records(MAX_MDNS_RECORDS + 1)).toEqual({ kind: 'absurd' })
    const question = { type: 'PTR', name: '_skein._udp.local' } as const
    const many = encode({ type: 'query', questions: Array.from({ length: MAX_MDNS_RECORDS + 1 }, () => question) })
    expect(parseMdns(many)).toEqual({ kind: 'absurd' })
  })

  it('[LD6] are for us whatever the case of their letters', () => {
    expect(parseMdns(encode({ type: 'query', questions: [{ type: 'PTR', name: '_SKEIN._udp.Local' }] }))).toEqual({ kind: 'question' })
  })

  it('show no name, id or user of this machine', () => {
    const text = Buffer.from(answer(new Uint8Array(40), link)).toString('latin1')
    expect(text).toMatch(/_skein/)
    expect(text).not.toContain('12D3KooW')
  })
})

function damaged(bytes: Uint8Array, changes: readonly (readonly [number, number])[]): Uint8Array {
  const copy = bytes.slice()
  for (const [at, value] of changes) copy[at] = value
  return copy
}

/** A program of somebody else that speaks mDNS there: what it hears, decoded, and a way to ask for peers of libp2p. */
async function otherProgram(mdns: number): Promise<{ readonly told: string[]; ask(): void; close(): void }> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  const told: string[] = []
  socket.on('message', (bytes) => {
    for (const each of decode(bytes).answers ?? [])
      if (each.type === 'TXT' && each.name.endsWith('._p2p._udp.local')) told.push(String(each.data))
  })
  socket.bind(mdns)
  await once(socket, 'listening')
  socket.addMembership('224.0.0.251', '127.0.0.1')
  socket.setMulticastInterface('127.0.0.1')
  const query = encode({ type: 'query', id: 0, questions: [{ name: '_p2p._udp.local', type: 'PTR' }] })
  return { told, ask: () => socket.send(query, mdns, '224.0.0.251'), close: () => void socket.close() }
}

describe('mDNS of libp2p', () => {
  it('[LD11] who asks for peers is told where a device is that shows itself to everybody, and of no other', async () => {
    await withTwo(async (shy, open, ports) => {
      let asked = 0
      await shy.start({ ...ears([]), named: () => (asked++, null) })
      const other = await otherProgram(ports.mdns)
      try {
        await eventually(() => asked > 0, other.ask)
        await open.start({ ...ears([]), named: (address) => `/ip4/${address}/tcp/4001/p2p/12D3Koo` })
        await eventually(() => other.told.length > 0, other.ask)
        expect(new Set(other.told)).toEqual(new Set(['dnsaddr=/ip4/127.0.0.1/tcp/4001/p2p/12D3Koo']))
      } finally {
        other.close()
      }
    })
  })
})

describe('hostile networks', () => {
  it('[LD10] a datagram from beyond the links is not looked at, and counted', async () => {
    port += 2
    const ports = { beacon: port, mdns: port + 1 }
    const heard: { bytes: Uint8Array; from: LanSource }[] = []
    const refused: string[] = []
    let links = [LOOPBACK]
    const one = new LanDiscovery({ clock: systemClock, logger, links: () => links, ports, refused: (why) => void refused.push(why) })
    await one.start(ears(heard))
    const stranger = createSocket('udp4')
    stranger.bind(0, '127.0.0.1', () => stranger.setBroadcast(true))
    await once(stranger, 'listening')
    const speak = (): void => {
      stranger.send(Uint8Array.of(1), ports.beacon, '127.255.255.255')
      stranger.send(answer(Uint8Array.of(2), LOOPBACK), ports.mdns, '127.255.255.255')
    }
    await eventually(() => new Set(heard.map(({ bytes }) => bytes[0])).size === 2, speak)
    expect(refused).toEqual([])
    const forPrinters = encode({ type: 'query', questions: [{ type: 'PTR', name: '_ipp._tcp.local' }] })
    await eventually(
      () => refused.includes('mdns-other'),
      () => stranger.send(forPrinters, ports.mdns, '127.255.255.255'),
    )
    // Its network has another number from now on, and the stranger has not.
    links = [{ ...LOOPBACK, address: '203.0.113.77', broadcast: '203.0.113.255', prefix: 24 }]
    await eventually(() => refused.includes('lan-off-link'), speak)
    heard.length = 0
    refused.length = 0
    speak()
    await eventually(() => refused.length >= 2)
    expect(new Set(refused)).toEqual(new Set(['lan-off-link']))
    expect(heard).toEqual([])
    stranger.close()
    await one.stop()
  })

  it('[LD6] a flood on both ports is survived, and a question is answered once a second', async () => {
    await withTwo(async (one, two, ports) => {
      const heard: { bytes: Uint8Array }[] = []
      await two.start(ears(heard as never))
      let asked = 0
      await one.start({ announcements: () => (asked++, [Uint8Array.of(5)]), heard: () => undefined })
      const flood: Socket = createSocket('udp4')
      const send = (bytes: Uint8Array, to: number) => new Promise<void>((resolve) => flood.send(bytes, to, '127.0.0.1', () => resolve()))
      const before = asked
      for (let number = 0; number < 300; number += 1) {
        await send(Uint8Array.of(number & 255), ports.beacon)
        await send(question(), ports.mdns)
      }
      flood.close()
      await eventually(
        () => heard.some(({ bytes }) => bytes[0] === 5),
        () => one.hurry(),
      )
      // One start, some hurries, and at most an answer a second: far from one for each of 300 questions.
      expect(asked - before).toBeLessThan(100)
    })
  })
})
