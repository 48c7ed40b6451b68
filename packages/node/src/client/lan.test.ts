import { deviceIdFromKey, Messenger, noblePrimitives, loadIdentity } from '@skein/core'
import { MemoryNetwork, MemoryStore, RecordingLogger, seededRandom, VirtualClock } from '@skein/core/testing'
import { describe, expect, it } from 'vitest'
import { nativeCompression } from '../platform/compression.ts'
import { peerViews } from './api/views.ts'
import { listeningPorts } from './lan.ts'

const ID = '12D3KooWBV1qNgFVLmLKmDVi8UrczQpxY3gxYCZa87EFC7dtGy9p'

describe('ports announced on the local network', () => {
  it('are those that others can dial, one of each family', () => {
    expect(
      listeningPorts([
        `/ip4/127.0.0.1/tcp/4001/p2p/${ID}`,
        `/ip4/192.168.1.20/tcp/4001/p2p/${ID}`,
        `/ip6/::1/tcp/5001/p2p/${ID}`,
        `/ip6/fd00::1/tcp/4002/p2p/${ID}`,
        `/ip4/192.168.1.20/tcp/9/ws/p2p/${ID}`,
      ]),
    ).toEqual({ tcp4: 4001, tcp6: 4002 })
  })

  it('are none on loopback alone, and never those of a relay', () => {
    expect(listeningPorts([`/ip4/127.0.0.1/tcp/4001/p2p/${ID}`, `/ip4/45.33.10.10/tcp/4001/p2p/${ID}/p2p-circuit/p2p/${ID}`])).toEqual({
      tcp4: 0,
      tcp6: 0,
    })
    expect(listeningPorts([])).toEqual({ tcp4: 0, tcp6: 0 })
  })

  it('[LD9] are those of loopback too where all addresses are listened to: a link-local one may be all there is', () => {
    const addresses = ['/ip4/127.0.0.1/tcp/4001', '/ip6/::1/tcp/5001', '/ip6/::1/tcp/9/ws']
    expect(listeningPorts(addresses, { everywhere: true })).toEqual({ tcp4: 4001, tcp6: 5001 })
  })
})

describe('people nearby', () => {
  it('are shown among the peers, as strangers who are there', async () => {
    const clock = new VirtualClock()
    const ports = { store: new MemoryStore(), random: seededRandom(1), clock, primitives: noblePrimitives }
    const identity = await loadIdentity(ports)
    const network = new MemoryNetwork()
    const swarm = network.join(identity.device)
    const rest = { swarm, directory: network.directory, logger: new RecordingLogger(), compression: nativeCompression }
    const messenger = new Messenger({ ...ports, ...rest }, identity, { name: '', relays: [], visibility: 'everyone' })
    const device = deviceIdFromKey(new Uint8Array(32).fill(7))
    expect(peerViews({ messenger, swarm, nearby: () => [device] })).toEqual([
      { contact: null, name: '', device, online: true, last_seen: null, path: 'none', asked: false },
    ])
    expect(peerViews({ messenger, swarm })).toEqual([])
  })
})
