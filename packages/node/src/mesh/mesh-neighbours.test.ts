import { setTimeout as sleep } from 'node:timers/promises'
import { type Channel, ChannelLink, MeshService } from '@skein/core'
import { linkContract } from '@skein/core/contracts'
import { cureKeyOf, envelopeFor, MemoryArchive, tagOf } from '@skein/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nativePrimitives } from '../platform/primitives.ts'
import { systemClock, systemRandom } from '../platform/system.ts'
import type { Libp2pSwarm } from '../swarm/index.ts'
import { silentLogger, TestNetwork } from '../swarm/test-network.ts'
import { MESH_PROTOCOL, MeshNeighbours } from './mesh-neighbours.ts'

linkContract('a libp2p connection', async () => {
  const network = new TestNetwork()
  const [a, b] = await network.pair()
  const accepted = Promise.withResolvers<Channel>()
  b.handle(MESH_PROTOCOL, async (channel) => accepted.resolve(channel))
  const opened = await a.open(b.self, MESH_PROTOCOL)
  if (opened.kind === 'absent') throw new Error('the other side is not there')
  // A stream is there for the other side with its first bytes.
  const ends = { a: new ChannelLink(opened.channel), b: new ChannelLink(await accepted.promise) }
  return { ...ends, clock: systemClock, pass: () => sleep(10), end: () => network.clear() }
})

class Node {
  readonly received: string[] = []
  readonly mesh: MeshService
  readonly neighbours: MeshNeighbours
  readonly swarm: Libp2pSwarm

  constructor(swarm: Libp2pSwarm, name: string, isLink = true) {
    this.swarm = swarm
    this.mesh = new MeshService({
      clock: systemClock,
      random: systemRandom,
      primitives: nativePrimitives,
      logger: silentLogger,
      archive: new MemoryArchive(),
      tags: async () => [tagOf(name)],
      open: async (envelope) => {
        const text = new TextDecoder().decode(envelope.slice(-32)).trim()
        this.received.push(text)
        return cureKeyOf(text)
      },
      onTaken: () => undefined,
      onProven: () => undefined,
      onExpired: () => undefined,
      onNear: () => undefined,
      onOffence: () => undefined,
    })
    const nobody = (): boolean => false
    const parts = { clock: systemClock, logger: silentLogger, isContact: nobody, isLookedAfter: nobody, isLink: () => isLink }
    this.neighbours = new MeshNeighbours({ ...parts, mesh: this.mesh, swarm })
  }

  async start(): Promise<this> {
    await this.mesh.start()
    this.neighbours.start()
    return this
  }

  /** Where it listens, without saying who it is. */
  place(): string {
    return (this.swarm.addresses()[0] ?? '').replace(/\/p2p\/.*/, '')
  }

  stop(): void {
    this.neighbours.stop()
    this.mesh.stop()
  }
}

describe('neighbours on the local network', () => {
  let network: TestNetwork
  const nodes: Node[] = []
  const start = async (name: string, isLink = true): Promise<Node> => {
    const node = await new Node(await network.swarm(), name, isLink).start()
    nodes.push(node)
    return node
  }
  beforeEach(() => {
    network = new TestNetwork()
  })
  afterEach(async () => {
    for (const node of nodes.splice(0)) node.stop()
    await network.clear()
  })

  it('[ME22] strangers who are told of a place become neighbours, and pass on what is for others', async () => {
    const [ana, mule, bo] = [await start('ana'), await start('mule'), await start('bo')]
    mule.neighbours.seen(ana.place())
    bo.neighbours.seen(mule.place())
    await eventually(() => mule.mesh.neighbourCount === 2 && ana.mesh.isNear && bo.mesh.isNear)
    expect(ana.mesh.hasNeighbour(mule.swarm.self)).toBe(true)
    expect(
      ana.mesh.carry({ envelope: envelopeFor('bo', { text: 'over a stranger', now: Date.now() }), cureKey: cureKeyOf('over a stranger') }),
    ).toBe(true)
    await eventually(() => bo.received.length > 0)
    expect(bo.received).toEqual(['over a stranger'])
  })

  it('[ME22] whoever is gone is a neighbour no longer, and is one again when it is back', async () => {
    const [ana, bo] = [await start('ana'), await start('bo')]
    ana.neighbours.seen(bo.place())
    await eventually(() => ana.mesh.isNear && bo.mesh.isNear)
    await bo.swarm.stop()
    await eventually(() => !ana.mesh.isNear)
    await bo.swarm.start()
    ana.neighbours.seen(bo.place())
    await eventually(() => ana.mesh.isNear)
    expect(ana.mesh.neighbourCount).toBe(1)
  })

  it('[ME22] where the connection may be no link, nobody is a neighbour', async () => {
    const [ana, bo] = [await start('ana'), await start('bo', false)]
    ana.neighbours.seen(bo.place())
    await eventually(() => ana.swarm.isConnected(bo.swarm.self))
    const opened = await ana.swarm.open(bo.swarm.self, MESH_PROTOCOL)
    if (opened.kind === 'absent') throw new Error('the other side is not there')
    await opened.channel.send(Uint8Array.of(0))
    for await (const _ of opened.channel.frames()) throw new Error('nothing is said on such a channel')
    expect(bo.mesh.isNear).toBe(false)
  })
})

async function eventually(holds: () => boolean): Promise<void> {
  for (const end = performance.now() + 60_000; !holds(); await sleep(20)) if (performance.now() > end) throw new Error('not in time')
}
