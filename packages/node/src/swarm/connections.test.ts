import { describe, expect, it } from 'vitest'
import { isNear, isRelayed, transportOf } from './connections.ts'
import { rungOf } from './rungs.ts'

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
})
