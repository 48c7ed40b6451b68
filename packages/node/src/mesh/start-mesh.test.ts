import type { DeviceId } from '@skein/core'
import { expect, it } from 'vitest'
import { mayBeLink } from './start-mesh.ts'

it('[ME22] on the local network everybody may be a neighbour, beyond it contacts alone, and only with a bridge', () => {
  const [friend, stranger] = ['friend', 'stranger'] as DeviceId[] as [DeviceId, DeviceId]
  const isContact = (device: DeviceId): boolean => device === friend
  const asked = (path: 'lan' | 'direct' | 'relayed', bridge: boolean): boolean[] =>
    [friend, stranger].map((device) => mayBeLink({ path, device }, { bridge, isContact }))
  expect([asked('lan', false), asked('lan', true)]).toEqual([
    [true, true],
    [true, true],
  ])
  for (const path of ['direct', 'relayed'] as const)
    expect([asked(path, false), asked(path, true)]).toEqual([
      [false, false],
      [true, false],
    ])
})
