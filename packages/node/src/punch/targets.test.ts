import { multiaddr } from '@multiformats/multiaddr'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_TARGETS } from './constants.ts'
import { isPublic, parseEndpoint, targetsOf } from './targets.ts'

const bytes = (text: string): Uint8Array => multiaddr(text).bytes

describe('targets of a punch', () => {
  it('[PT6] are public addresses of TCP alone, each once', () => {
    const named = [
      '/ip4/9.9.9.9/tcp/4001',
      '/ip4/9.9.9.9/tcp/4001',
      '/ip6/2a01:4f8::1/tcp/4002',
      '/ip4/127.0.0.1/tcp/22',
      '/ip4/10.0.0.1/tcp/22',
      '/ip4/192.168.1.1/tcp/80',
      '/ip4/169.254.169.254/tcp/80',
      '/ip4/100.64.0.1/tcp/80',
      '/ip4/224.0.0.251/tcp/80',
      '/ip4/255.255.255.255/tcp/80',
      '/ip4/0.0.0.0/tcp/80',
      '/ip6/::1/tcp/80',
      '/ip6/fe80::1/tcp/80',
      '/ip6/fd00::1/tcp/80',
      '/ip6/::ffff:127.0.0.1/tcp/80',
      '/ip4/9.9.9.9/udp/53',
      '/ip4/9.9.9.9/tcp/80/ws',
      '/dns4/example.org/tcp/80',
    ]
    expect(targetsOf(named.map(bytes), isPublic)).toEqual([
      { host: '9.9.9.9', port: 4001 },
      { host: '2a01:4f8::1', port: 4002 },
    ])
  })

  it('[PT6] are at most MAX_TARGETS', () => {
    const many = Array.from({ length: 100 }, (_, at) => bytes(`/ip4/9.9.9.${at}/tcp/4001`))
    expect(targetsOf(many, isPublic).length).toBe(MAX_TARGETS)
  })

  it('[PT6] of bytes that are no address: none, and no failure', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 20 }), (addresses) => {
        for (const { host } of targetsOf(addresses, isPublic)) expect(isPublic(host)).toBe(true)
      }),
    )
  })

  it('endpoints of a reflector are read as relays write them', () => {
    expect(parseEndpoint('9.9.9.9:80')).toEqual({ host: '9.9.9.9', port: 80 })
    expect(parseEndpoint('[2a01::1]:80')).toEqual({ host: '2a01::1', port: 80 })
    for (const wrong of ['9.9.9.9', '9.9.9.9:0', '9.9.9.9:65536', ':80', '2a01::1:80', 'a b:x', ''])
      expect(parseEndpoint(wrong)).toBeUndefined()
  })
})
