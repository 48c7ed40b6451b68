import type { Connection, Libp2p } from '@libp2p/interface'
import { identify } from '@libp2p/identify'
import { ping } from '@libp2p/ping'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { afterEach, expect, it, vi } from 'vitest'
import { OPEN_RULES } from './circuit/index.ts'
import { relayDoor } from './circuit/gate.ts'
import { guardedTcp } from './guarded-tcp.ts'
import { SilentPeers } from './silent-peers.ts'
import { securedAndMuxed } from './stack-parts.ts'

const WITHIN = { timeout: 60_000 }
const MINUTES = 60_000
const running: Libp2p[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()))
})

async function node(listen: string[], door = relayDoor(OPEN_RULES)): Promise<Libp2p> {
  const made = await createLibp2p({
    addresses: { listen },
    transports: [guardedTcp({ mayEnter: door.mayEnter, onRaw: (socket) => void socket.destroy() })],
    ...securedAndMuxed({ enableKeepAlive: false }),
    connectionGater: door.gater,
    connectionMonitor: { enabled: false },
    services: { identify: identify(), ping: ping() },
  })
  running.push(made)
  return made
}

it('[RL22] asks who has been silent, and ends who does not answer', { timeout: 120_000 }, async () => {
  const door = relayDoor(OPEN_RULES)
  const relay = await node(['/ip4/127.0.0.1/tcp/0'], door)
  const address = multiaddr(relay.getMultiaddrs()[0]?.toString() ?? '')
  const [alive, gone] = [await node([]), await node([])]
  await alive.dial(address)
  const dead = await gone.dial(address)
  let [late, cut] = [0, 0]
  const trips: number[] = []
  const silent = new SilentPeers({
    connections: () => relay.getConnections(),
    heardAt: door.heardAt,
    onRoundTrip: (ms) => void trips.push(ms),
    onSilent: () => (cut += 1),
    now: () => performance.now() + late,
    answerWithinMs: 2_000,
  })
  const to = (peer: Libp2p): Connection[] => relay.getConnections(peer.peerId)
  await vi.waitFor(() => expect(relay.getConnections()).toHaveLength(2), WITHIN)
  const heard = door.heardAt(to(alive)[0] as Connection)
  silent.look()
  // Its machine has gone without a word.
  ;(dead as Connection & { maConn: { socket: { pause(): void } } }).maConn.socket.pause()
  late = 10 * MINUTES
  silent.look()
  await vi.waitFor(() => expect(to(gone)).toEqual([]), WITHIN)
  expect(to(alive)).toHaveLength(1)
  expect(cut).toBe(1)
  expect(trips.map((ms) => ms > 0)).toEqual([true])
  expect(door.heardAt(to(alive)[0] as Connection)).toBeGreaterThan(heard ?? Number.POSITIVE_INFINITY)
})

it('[RL22] who has answered is not asked again at once, where nothing else tells that it lives', { timeout: 120_000 }, async () => {
  const relay = await node(['/ip4/127.0.0.1/tcp/0'])
  const client = await node([])
  let pings = 0
  await client.handle(
    '/ipfs/ping/1.0.0',
    (stream) => {
      pings += 1
      stream.addEventListener('message', ({ data }) => {
        stream.send(data)
        void stream.close()
      })
    },
    { force: true },
  )
  await client.dial(multiaddr(relay.getMultiaddrs()[0]?.toString() ?? ''))
  await vi.waitFor(() => expect(relay.getConnections()).toHaveLength(1), WITHIN)
  let time = 1_000_000
  const connections = () => relay.getConnections()
  const ignore = (): void => undefined
  const silent = new SilentPeers({ connections, heardAt: () => undefined, onRoundTrip: ignore, onSilent: ignore, now: () => time })
  silent.look()
  await vi.waitFor(() => expect(pings).toBe(1), WITHIN)
  await vi.waitFor(() => expect(relay.getConnections()[0]?.streams).toEqual([]), WITHIN)
  time += 20_000
  silent.look()
  time += 80_000
  silent.look()
  await vi.waitFor(() => expect(pings).toBe(2), WITHIN)
  expect(relay.getConnections()).toHaveLength(1)
})
