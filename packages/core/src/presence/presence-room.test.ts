import { describe, expect, it } from 'vitest'
import { World, type WorldNode } from '../testing/index.ts'
import { decodePresenceFrame } from '../wire/presence.ts'
import { presenceTopic } from './statements.ts'

const everyone = { visibility: 'everyone' } as const

async function room(seed: number, members: number): Promise<{ world: World; nodes: readonly WorldNode[]; relay: WorldNode }> {
  const world = new World(seed)
  const relay = await world.start('relay')
  const nodes: WorldNode[] = []
  for (let number = 0; number < members; number += 1) nodes.push(await world.start(`member ${number}`, everyone))
  for (const { messenger } of nodes) void messenger.presence.join(relay.messenger.identity.device)
  await world.run(20_000)
  return { world, nodes, relay }
}

describe('a room on a topic', () => {
  it('[PR2] a newcomer to a room is told of everybody by some of its members, not by all', async () => {
    const { world, nodes, relay } = await room(701, 12)
    const device = relay.messenger.identity.device
    let welcomes = 0
    const watcher = world.network.join(world.strangerDevice())
    watcher.subscribe(presenceTopic(device), async (bytes) => {
      if (decodePresenceFrame(bytes).kind === 'welcome') welcomes += 1
      return 'accept'
    })
    const newcomer = await world.start('newcomer', everyone)
    void newcomer.messenger.presence.join(device)
    await world.run(3_000)
    expect(newcomer.messenger.presence.present()).toHaveLength(nodes.length)
    expect(welcomes).toBeGreaterThanOrEqual(1)
    expect(welcomes).toBeLessThan(nodes.length * 0.7)
  })

  it('[PR11] who has taken a lease is missed when that has run out, and with the usual silence after giving it back', async () => {
    const { world, nodes } = await room(703, 3)
    const [ana, bo, cem] = nodes
    if (ana === undefined || bo === undefined || cem === undefined) throw new Error('no members')
    const sees = ({ messenger }: WorldNode) => ana.messenger.presence.isPresent(messenger.identity.device)
    await bo.messenger.presence.takeLease(120_000)
    await cem.messenger.presence.takeLease(120_000)
    await cem.messenger.presence.takeLease(0)
    await world.run(1_000)
    world.kill(bo)
    world.kill(cem)
    await world.run(46_000)
    expect([sees(bo), sees(cem)]).toEqual([true, false])
    await world.run(70_000)
    expect(sees(bo)).toBe(true)
    await world.run(5_000)
    expect(sees(bo)).toBe(false)
  })

  it('[PR10] a recorded presence does not bring back who has gone', async () => {
    const { world, nodes, relay } = await room(702, 2)
    const [ana, bo] = nodes
    if (ana === undefined || bo === undefined) throw new Error('no members')
    const topic = presenceTopic(relay.messenger.identity.device)
    const recorded: Uint8Array[] = []
    const eve = world.network.join(world.strangerDevice())
    eve.subscribe(topic, async (bytes) => {
      recorded.push(bytes)
      return 'accept'
    })
    await world.run(20_000)
    world.kill(bo)
    await world.run(60_000)
    expect(ana.messenger.presence.isPresent(bo.messenger.identity.device)).toBe(false)
    expect(recorded.length).toBeGreaterThan(0)
    for (const bytes of recorded) await eve.publish(topic, bytes)
    await world.run(1_000)
    expect(ana.messenger.presence.isPresent(bo.messenger.identity.device)).toBe(false)
  })
})
