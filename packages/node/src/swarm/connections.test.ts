import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { describe, expect, it } from 'vitest'
import { endpointOf } from '../bulk/endpoint.ts'
import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { parseDeviceId } from '@skein/core'
import { VirtualClock } from '@skein/core/testing'
import {
  isBetterWay,
  isLeftBehind,
  mayBeLeftBehind,
  isNear,
  isRelayed,
  isSettled,
  markDoubted,
  markPunched,
  markInUse,
  markOpen,
  markUnproven,
  pathOf,
  pickConnection,
  surplusConnections,
  transportOf,
} from './connections.ts'
import { SETTLED_MS } from './constants.ts'
import { meantFor, rungOf } from './rungs.ts'

const [relay, device] = ['12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X', '12D3KooWEKTGHCUQG5RaqDVBKb2qJ2Yb6yu11Lcr388SQoTQ3o51']
const hop = `/ip4/10.1.2.3/udp/4003/webrtc-direct/certhash/uEiA/p2p/${relay}/p2p-circuit`

describe('addresses', () => {
  it.each([
    [`/ip4/192.168.1.2/tcp/4001/p2p/${device}`, 'lan', 'tcp', true],
    [`/ip4/8.8.4.4/tcp/4001/ws/p2p/${device}`, 'direct', 'ws', false],
    [`/ip6/fe80::1/tcp/4001/p2p/${device}`, 'lan', 'tcp', true],
    [`/ip6zone/eth0/ip6/fe80::1/tcp/4001/p2p/${device}`, 'lan', 'tcp', true],
    [`/ip6zone/eth0/ip6/2a01::1/tcp/4001/p2p/${device}`, 'direct', 'tcp', false],
    // How the relay is reached says nothing of how the device is.
    [`${hop}/p2p/${device}`, 'relayed', 'circuit', false],
    [`${hop}/webrtc/p2p/${device}`, 'webrtc', 'webrtc', false],
    [`/ip4/127.0.0.1/tcp/4001/p2p/${relay}/p2p-circuit/p2p/${device}`, 'relayed', 'circuit', false],
  ])('%s stands on its rung', (address, rung, transport, near) => {
    expect([rungOf(address), transportOf(address), isNear(address), isRelayed(address)]).toEqual([
      rung,
      transport,
      near,
      rung === 'relayed',
    ])
  })

  it('[LD9] are dialled with the interface they were heard on', () => {
    expect(endpointOf(`/ip6zone/eth0/ip6/fe80::1/tcp/4001/p2p/${device}`)).toEqual({ host: 'fe80::1%eth0', port: 4001 })
    expect(endpointOf('/ip6/fd00::1/tcp/4001')).toEqual({ host: 'fd00::1', port: 4001 })
    expect(endpointOf('/ip6zone/eth0/ip6/fe80::1/tcp/4001/ws')).toBeUndefined()
  })
})

describe('several connections to one device', () => {
  const over = (address: string): Connection =>
    ({
      ...{ remoteAddr: multiaddr(address), status: 'open', direction: 'outbound', timeline: { open: 1 }, streams: [] },
      remotePeer: { toString: () => device },
    }) as unknown as Connection
  const self = parseDeviceId(relay)
  const [lan, far, hole] = ['/ip4/192.168.1.2/tcp/1', '/ip4/8.8.4.4/tcp/1', '/ip4/8.8.8.8/tcp/2'].map(over) as [
    Connection,
    Connection,
    Connection,
  ]
  const circuit = over(`/ip4/8.8.4.4/tcp/4001/p2p/${relay}/p2p-circuit`)
  markPunched(hole.remoteAddr)

  it('[PT1] the local network goes before what lies farther away, and a relay comes last', () => {
    expect(pickConnection([circuit, hole, far, lan], self)).toBe(lan)
    expect([isBetterWay(lan, hole), isBetterWay(hole, circuit), isBetterWay(far, hole), isBetterWay(circuit, far)]).toEqual([
      true,
      true,
      false,
      false,
    ])
    expect(surplusConnections([hole, lan, circuit], self)).toEqual([hole])
  })

  it('[PT1] what has carried nothing yet comes after everything else, also after what is doubted, and is no double', () => {
    markUnproven(lan, true)
    expect(pickConnection([lan, circuit], self)).toBe(circuit)
    markDoubted(circuit, true)
    expect(pickConnection([lan, circuit], self)).toBe(circuit)
    expect(surplusConnections([hole, lan], self)).toEqual([])
    markUnproven(lan, false)
    expect(pickConnection([lan, circuit], self)).toBe(lan)
    markDoubted(circuit, false)
  })

  it('[PT1] a way is told of since it came into use, and its age does not hang on the wall clock', async () => {
    const clock = new VirtualClock(1_000_000)
    const opened = over('/ip4/192.168.1.3/tcp/1')
    const since = (): number => pathOf(parseDeviceId(device), opened, { isMapped: false }).since
    markOpen(opened, clock)
    expect(since()).toBe(1_000_000)
    clock.jump(3_600_000)
    expect(isSettled(opened, clock)).toBe(false)
    markInUse(opened, clock)
    expect(since()).toBe(4_600_000)
    clock.jump(-7_200_000)
    await clock.advance(SETTLED_MS + 1)
    expect(isSettled(opened, clock)).toBe(true)
  })
})

describe('after a change of addresses', () => {
  const from = (address: string, localAddress?: string): Connection =>
    ({
      remoteAddr: multiaddr(address),
      ...(localAddress === undefined ? {} : { maConn: { socket: { localAddress } } }),
    }) as unknown as Connection
  const change = { present: new Set(['127.0.0.1', '192.168.1.20']), hasLost: true, isSameWay: true, sleptMs: 0 }
  const [tcp, hole] = [from('/ip4/8.8.4.4/tcp/1', '::ffff:192.168.1.20'), from('/ip4/8.8.4.4/udp/1')]

  it('[PT9] a connection ends whose own address has gone', () => {
    expect(isLeftBehind(tcp, { ...change, isSameWay: false })).toBe(false)
    expect(isLeftBehind(from('/ip4/8.8.4.4/tcp/1', '192.168.1.21'), change)).toBe(true)
  })

  it('[PT9] one that cannot tell where it comes from ends when the way out is another, and not for an interface beside it', () => {
    expect(isLeftBehind(hole, change)).toBe(false)
    expect(isLeftBehind(hole, { ...change, isSameWay: false })).toBe(true)
    expect(isLeftBehind(hole, { ...change, isSameWay: false, hasLost: false })).toBe(false)
    expect(isLeftBehind(from(`${hop}/p2p/${device}`), { ...change, isSameWay: false })).toBe(false)
  })

  it('[PT9] one that cannot tell where it comes from is asked when any address has gone', () => {
    const asked = (connection: Connection, hasLost = true): boolean => mayBeLeftBehind(connection, { ...change, hasLost })
    expect([asked(hole), asked(hole, false), asked(tcp), asked(from(`${hop}/p2p/${device}`))]).toEqual([true, false, false, false])
  })
})

it('[PT6] every address of loopback, and the unspecified one, is known in each way to write it', () => {
  const isMeant = meantFor(['/ip4/192.168.1.5/tcp/4001'])
  const any = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.constantFrom(
      '0.0.0.0',
      '127.9.9.9',
      '::',
      '::1',
      '0:0:0:0:0:0:0:1',
      '::ffff:0:0',
      '::ffff:127.0.0.1',
      '::ffff:7f9:1',
      '::2',
      '::ffff:ab',
    ),
    fc.ipV4().map((each) => `::ffff:${each}`),
    fc.constantFrom('0', '127').chain((first) => fc.ipV4().map((each) => `::ffff:${first}.${each.split('.').slice(1).join('.')}`)),
  )
  fc.assert(
    fc.property(any, (host) => {
      const address = multiaddr(`/ip${host.includes(':') ? 6 : 4}/${host}/tcp/22`).toString()
      // As the multiaddr writes it: the parser of `ipaddr.js` takes `::0.0.0.2` for `::ffff:0.0.0.2`.
      const range = ipaddr.process(address.split('/')[2] ?? '').range()
      expect(isMeant(address)).toBe(range !== 'loopback' && range !== 'unspecified')
    }),
    { numRuns: 500 },
  )
  for (const each of ['/dns4/a.localhost/tcp/1', '/ip6zone/lo/ip6/::1/tcp/1']) expect(isMeant(each)).toBe(false)
})

it('[PT6] what runs on this machine is dialled by nobody who has another address', () => {
  const theirs = ['/ip4/127.0.0.1/tcp/6379', '/ip6/::1/tcp/6379', '/dns4/localhost/tcp/80', '/ip4/192.168.1.2/tcp/1', '/ip4/8.8.4.4/tcp/1']
  expect(theirs.filter(meantFor(['/ip4/192.168.1.5/tcp/4001', '/ip4/127.0.0.1/tcp/4001']))).toEqual(theirs.slice(3))
  expect(theirs.filter(meantFor(['/ip4/127.0.0.1/tcp/4001', `${hop}/p2p/${device}`]))).toEqual(theirs)
})
