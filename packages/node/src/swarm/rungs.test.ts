import type { Multiaddr } from '@multiformats/multiaddr'
import { parseDeviceId } from '@skein/core'
import { expect, it } from 'vitest'
import type { Stack } from './client-stack.ts'
import { dialRungs, type RungReport } from './rungs.ts'

const SELF = parseDeviceId('12D3KooWBg9Fk4u8hWv2yL5S5s6hrPWvqo8c3dKoCQidZDDoNH3r')
const DEVICE = parseDeviceId('12D3KooWSCoMBZDM1dDE1JZt1rnvTgxbxdw5QCNMjP9NSj1b4sqi')
const RELAY = '12D3KooWKnDdG3iXw9eTFijk3EWSunZcFi54Zka4wmtqtt6rPxc8'

/** What is dialled of these addresses, none of which answers. */
async function dialled(addresses: readonly string[]) {
  const asked: string[] = []
  let reports: readonly RungReport[] = []
  const dial = (address: Multiaddr): Promise<never> => {
    asked.push(address.toString().replace(`/p2p/${DEVICE}`, ''))
    return Promise.reject(new Error('refused'))
  }
  const stack = {
    getMultiaddrs: () => ['/ip4/192.168.1.2/tcp/1'],
    services: { transports: { transportManager: { dial } } },
  } as unknown as Stack
  const options = { self: SELF, device: DEVICE, rungs: ['lan', 'direct', 'webrtc'] as const, signal: new AbortController().signal }
  await expect(dialRungs(stack, { ...options, addresses: addresses.toSorted() }, (news) => (reports = news))).rejects.toThrow()
  return { asked, reports }
}

it('[PT1] an address that most can reach is dialled, however many others sort before it: of containers, and of WebRTC by many relays', async () => {
  const bridges = Array.from({ length: 16 }, (_, n) => `/ip4/172.${16 + n}.0.1/tcp/1`)
  const signalled = Array.from({ length: 20 }, (_, n) => `/dns/r${n}.example/tcp/1/p2p/${RELAY}/p2p-circuit/webrtc`)
  const useful = ['/ip4/192.168.1.5/tcp/1', '/ip4/9.9.9.9/tcp/1', '/ip6/2a00::1/tcp/1']
  const { asked, reports } = await dialled([...signalled, ...bridges, ...useful])
  expect(asked).toEqual(expect.arrayContaining(useful))
  expect(asked.filter((each) => each.includes('/172.'))).toHaveLength(16 - useful.length)
  expect(asked.filter((each) => each.includes('/webrtc'))).toHaveLength(16)
  expect(reports.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'failed'])
})
