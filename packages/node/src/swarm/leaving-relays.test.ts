import { encodeNotice, type Channel, type DeviceId, deviceIdFromKey } from '@skein/core'
import { seededRandom, VirtualClock } from '@skein/core/testing'
import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { peerOf, pickConnection } from './connections.ts'
import { LeavingRelays, NOTICE_PROTOCOL } from './leaving-relays.ts'
import { silentLogger, stackOf, TestNetwork } from './test-network.ts'

const WITHIN = { timeout: 60_000 }
const [BO, FIRST, SECOND, SELF] = [1, 2, 3, 4].map((byte) => deviceIdFromKey(new Uint8Array(32).fill(byte))) as [
  DeviceId,
  DeviceId,
  DeviceId,
  DeviceId,
]
const network = new TestNetwork()

afterEach(() => network.clear())

const circuit = (relay: DeviceId, device: DeviceId): Connection =>
  ({
    remotePeer: peerOf(device),
    remoteAddr: multiaddr(`/ip4/127.0.0.1/tcp/4001/p2p/${relay}/p2p-circuit/p2p/${device}`),
    status: 'open',
    timeline: { open: relay === FIRST ? 1 : 2 },
    direction: 'outbound',
  }) as unknown as Connection

function noticeOf(peer: DeviceId, bytes: Uint8Array): Channel {
  return {
    peer,
    send: async () => true,
    close: () => undefined,
    async *frames() {
      yield bytes
    },
  }
}

function leavingWith(connections: Connection[], dialAround: (device: DeviceId) => Promise<unknown>) {
  const clock = new VirtualClock()
  const moved: DeviceId[] = []
  const parts = {
    clock,
    random: seededRandom(7),
    logger: silentLogger,
    stopping: new AbortController().signal,
    connections: () => connections,
  }
  return { clock, moved, leaving: new LeavingRelays({ ...parts, dialAround, onBetterPath: (device) => moved.push(device) }) }
}

describe('a relay that goes away', () => {
  it('[RL18] what is reached over it is reached over another one, and only that is used from then on', async () => {
    const old = circuit(FIRST, BO)
    const connections = [old, circuit(SECOND, SELF)]
    const dialled: DeviceId[] = []
    const { clock, leaving, moved } = leavingWith(connections, async (device) => {
      dialled.push(device)
      connections.push(circuit(SECOND, BO))
    })
    expect(pickConnection([old, circuit(SECOND, BO)], SELF)).toBe(old)
    await leaving.receive(noticeOf(FIRST, encodeNotice({ leavingWithinMs: 6_000 })))
    await clock.advance(6_000)
    await vi.waitFor(() => expect(moved).toEqual([BO]), WITHIN)
    expect(dialled).toEqual([BO])
    expect(pickConnection([old, connections[2] as Connection], SELF)).toBe(connections[2])
  })

  it('[RL18] without another relay the circuit stays in use; a notice of a stranger moves nothing', async () => {
    const old = circuit(FIRST, BO)
    const { clock, leaving, moved } = leavingWith([old], () => Promise.reject(new Error('no other relay')))
    await leaving.receive(noticeOf(BO, encodeNotice({ leavingWithinMs: 1 })))
    await leaving.receive(noticeOf(FIRST, encodeNotice({ leavingWithinMs: 6_000 })))
    expect([...leaving.devices]).toEqual([BO, FIRST])
    expect(leaving.restFor(FIRST)).toBeGreaterThan(0)
    expect(leaving.restFor(SECOND)).toBe(0)
    await clock.advance(11_000)
    expect([moved, [...leaving.devices], leaving.restFor(FIRST)]).toEqual([[], [], 0])
    expect(pickConnection([old, circuit(SECOND, BO)], SELF)).toBe(old)
    await expect(leaving.receive(noticeOf(SECOND, new Uint8Array(100)))).rejects.toThrow(
      expect.objectContaining({ code: 'FRAME_TOO_LARGE' }),
    )
  })

  it('[RL18] tells all its members at once, on real connections', { timeout: 120_000 }, async () => {
    const relay = await network.relay()
    const told: string[] = []
    const members = await Promise.all([1, 2, 3].map(() => network.swarm({ relays: [relay.url] })))
    for (const member of members) {
      await vi.waitFor(() => expect(member.relays()[0]?.reserved).toBe(true), WITHIN)
      const own = stackOf(member)
      await own.unhandle(NOTICE_PROTOCOL)
      await own.handle(NOTICE_PROTOCOL, (stream) => stream.addEventListener('message', () => told.push(member.self), { once: true }))
    }
    await relay.stack().giveNotice(1_000)
    await vi.waitFor(() => expect(told.toSorted()).toEqual(members.map(({ self }) => self).toSorted()), WITHIN)
  })
})
