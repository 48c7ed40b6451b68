import type { DeviceId, PeerPath } from '@skein/core'
import { MemoryArchive, World, type WorldNode } from '@skein/core/testing'
import { expect, it } from 'vitest'
import { silentLogger } from '../swarm/test-network.ts'
import { MESH_PROTOCOL } from './mesh-neighbours.ts'
import { mayBeLink, type MeshParts, startMesh } from './start-mesh.ts'

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

interface Surroundings {
  readonly to: readonly DeviceId[]
  readonly world: World
  readonly path?: 'lan' | 'relayed'
  keep?(device: DeviceId, wanted: boolean): void
}

/** A bridge, connected over a relay or the local network to each of these. */
function bridgeAt({ messenger, swarm }: WorldNode, { to, world, path = 'relayed', keep = () => undefined }: Surroundings): () => void {
  const paths = (): PeerPath[] => to.map((device) => ({ device, path, transport: 'circuit', rttMs: null, since: -1e6 }))
  const port = {
    ...{ self: messenger.identity.device, paths, relays: () => [], keep, isConnected: () => true },
    ...{ listen: () => () => undefined, open: swarm.open.bind(swarm), handle: swarm.handle.bind(swarm) },
  } as unknown as MeshParts['swarm']
  const undo: (() => unknown)[] = []
  startMesh({ messenger, swarm: port, clock: world.clock, logger: silentLogger, hasLan: false, bridge: true }, undo as never)
  return () => undo.forEach((end) => end())
}

it('[ME22] who merely asks for contact, and who is blocked, is no neighbour over a bridge, and one that is blocked is one no longer', async () => {
  const world = new World(1)
  const [ana, friend, asker, foe] = [
    await world.start('ana', { meshArchive: new MemoryArchive() }),
    ...(await Promise.all(['friend', 'asker', 'foe'].map((name) => world.start(name)))),
  ] as [WorldNode, WorldNode, WorldNode, WorldNode]
  for (const node of [friend, foe]) await world.befriend(ana, node)
  const asking = asker.messenger.ask(ana.messenger.identity.device)
  await world.run(2_000)
  await asking
  const block = (node: WorldNode) => ana.messenger.change(node.messenger.identity.account, { blocked: true })
  await block(foe)
  const others = [friend, asker, foe]
  const devices = others.map(({ messenger }) => messenger.identity.device)
  expect(devices.map((device) => ana.messenger.book.ownerOf(device)?.state)).toEqual(['accepted', 'requested', 'accepted'])
  for (const { swarm } of others) swarm.handle(MESH_PROTOCOL, async () => undefined)
  const stop = bridgeAt(ana, { to: devices, world })
  const linked = () => devices.map((device) => ana.messenger.mesh?.hasNeighbour(device))
  await world.run(2_000)
  expect(linked()).toEqual([true, false, false])
  await block(friend)
  await world.run(2_000)
  expect(linked()).toEqual([false, false, false])
  stop()
})

it('[CT5] touch is kept with whoever has not answered yet, also when they are a neighbour no more', async () => {
  const world = new World(1)
  const [ana, bo] = [await world.start('ana', { meshArchive: new MemoryArchive() }), await world.start('bo')]
  const letGo = async (): Promise<boolean> => {
    const wanted: boolean[] = []
    const keep = (_: DeviceId, isWanted: boolean) => wanted.push(isWanted)
    const stop = bridgeAt(ana, { to: [bo.messenger.identity.device], world, path: 'lan', keep })
    await world.run(2_000)
    stop()
    return wanted.includes(false)
  }
  bo.swarm.handle(MESH_PROTOCOL, async (channel) => channel.close())
  const { invite } = await bo.messenger.invite()
  bo.swarm.handle('/skein/contact/1', async (channel) => channel.close())
  expect(await letGo()).toBe(true)
  const adding = ana.messenger.add(invite)
  await world.run(15_000)
  expect((await adding).state).toBe('pending')
  expect(await letGo()).toBe(false)
})
