import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { type DeviceId, deviceIdFromKey } from '@skein/core'
import { expect, it } from 'vitest'
import type { Stack } from './client-stack.ts'
import { peerOf } from './connections.ts'
import { Mapped, MAPPED_PROTOCOL, MAX_MAPPED } from './mapped.ts'

const device = (number: number): DeviceId => deviceIdFromKey(new Uint8Array(32).fill(number % 256).fill(number >> 8, 0, 16))

it('opened ports of kept devices are remembered and new ones heard of, however many names strangers come under', () => {
  const stack = new EventTarget()
  const [friend, late] = [device(0), device(MAX_MAPPED + 9)]
  const told: DeviceId[] = []
  const mapped = new Mapped(stack as unknown as Stack, { kept: new Set([friend, late]), onMapped: (each) => told.push(each) })
  const identify = (each: DeviceId): boolean =>
    stack.dispatchEvent(new CustomEvent('peer:identify', { detail: { peerId: peerOf(each), protocols: [MAPPED_PROTOCOL] } }))
  const isMapped = (each: DeviceId): boolean =>
    mapped.leads({ direction: 'outbound', remoteAddr: multiaddr('/ip4/8.8.4.4/tcp/1'), remotePeer: peerOf(each) } as Connection)
  identify(friend)
  for (let number = 1; number <= MAX_MAPPED + 1; number += 1) identify(device(number))
  expect([isMapped(friend), isMapped(device(1)), isMapped(device(MAX_MAPPED + 1))]).toEqual([true, false, true])
  identify(late)
  identify(friend)
  expect([isMapped(late), told.at(-1), told.filter((each) => each === friend)]).toEqual([true, late, [friend]])
})
