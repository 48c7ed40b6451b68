import type { DeviceId } from '@skein/core'
import { VirtualClock } from '@skein/core/testing'
import { expect, it } from 'vitest'
import { silentLogger } from '../swarm/test-network.ts'
import { MeshNeighbours, type MeshNeighboursDeps, WANTED_NEIGHBOURS } from './mesh-neighbours.ts'

it('[ME22] who has enough neighbours looks for one more now and then: two groups in which everybody has enough come together', async () => {
  const clock = new VirtualClock(0)
  const greeted: number[] = []
  const mesh = { neighbourCount: WANTED_NEIGHBOURS, silent: () => [], hasNeighbour: () => true } as unknown as MeshNeighboursDeps['mesh']
  const swarm = {
    ...{ self: 'me' as DeviceId, handle: () => () => undefined, listen: () => () => undefined, paths: () => [], relays: () => [] },
    isConnected: (device: DeviceId) => device.startsWith('here'),
    greet: async (address: string) => {
      greeted.push(clock.monotonic())
      Object.assign(mesh, { neighbourCount: mesh.neighbourCount + 1 })
      return `here ${address}` as DeviceId
    },
  } as unknown as MeshNeighboursDeps['swarm']
  const neighbours = new MeshNeighbours({
    mesh,
    swarm,
    clock,
    logger: silentLogger,
    isContact: () => false,
    isLookedAfter: () => false,
    isLink: () => true,
  })
  neighbours.start()
  for (let host = 1; host < 20; host += 1) neighbours.seen(`/ip4/10.0.0.${host}/tcp/4001`)
  await clock.advance(59_000)
  expect(greeted).toEqual([])
  await clock.advance(16 * 60_000)
  const minutes = greeted.map((at, index) => Math.round((at - (greeted[index - 1] ?? 0)) / 60_000))
  expect(minutes).toEqual([1, 2, 4, 8])
  neighbours.stop()
})
