import { expect, it } from 'vitest'
import { fewEnough, isDialable, listenAddresses } from './relay-addresses.ts'

const transports = (host: string): string[] =>
  ['tcp/4001', 'tcp/4002/ws', 'udp/4003/webrtc-direct', 'udp/4001/quic-v1'].map((each) => `${host}/${each}`)
const bridges = Array.from({ length: 9 }, (_, at) => `/ip4/172.${17 + at}.0.1`)

it('[RL28] a relay on a machine with many networks announces no more than a client takes, first what most can reach', () => {
  const hosts = ['/ip4/127.0.0.1', ...bridges, '/ip4/192.168.1.2', '/ip4/10.0.0.3', '/ip4/100.64.0.9', '/ip4/8.8.4.4']
  const front = '/dns/relay.example/tcp/443/tls/ws'
  const announced = fewEnough([...hosts.flatMap(transports), front])
  expect(announced).toHaveLength(32)
  expect(announced.slice(0, 17)).toEqual([
    ...transports('/ip4/8.8.4.4'),
    front,
    ...transports('/ip4/100.64.0.9'),
    ...transports('/ip4/192.168.1.2'),
    ...transports('/ip4/10.0.0.3'),
  ])
  expect(announced.join()).not.toContain('127.0.0.1')
})

it('[RL28] as many as a client takes stay as they are', () => {
  const all = ['/ip4/127.0.0.1', ...bridges.slice(0, 7)].flatMap(transports)
  expect(fewEnough(all)).toEqual(all)
})

it('[RL28] where it is to listen on all of IPv6 it listens on IPv4 too', () => {
  const ports = { tcp: 4001, ws: 4002, webrtc: 'off', quic: 4001 } as const
  expect(listenAddresses({ host: '0.0.0.0', ...ports })).toEqual([
    '/ip4/0.0.0.0/tcp/4001',
    '/ip4/0.0.0.0/tcp/4002/ws',
    '/ip4/0.0.0.0/udp/4001/quic-v1',
  ])
  expect(listenAddresses({ host: '::', ...ports })).toEqual([
    ...['/ip6/::/tcp/4001', '/ip6/::/tcp/4002/ws', '/ip6/::/udp/4001/quic-v1'],
    ...listenAddresses({ host: '0.0.0.0', ...ports }),
  ])
  expect(listenAddresses({ host: '::1', ...ports })).toHaveLength(3)
})

it('[RL28] addresses of one link are not announced: whoever reads them does not know which', () => {
  const hosts = ['/ip6/fe80::fc:ff:fe00:1', '/ip6/FEBF::1', '/ip6/fd00::2', '/ip6/2001:db8::1', '/ip4/169.254.1.1', '/dns/fe80.example']
  expect(hosts.filter((each) => isDialable(`${each}/udp/4001/quic-v1`))).toEqual(hosts.slice(2))
})
