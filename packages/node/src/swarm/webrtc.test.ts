/** WebRTC between real endpoints of this machine: the transport that gets through home routers, with no third party asked. */
import { multiaddr } from '@multiformats/multiaddr'
import { MAX_FRAME_BYTES, type ProtocolId } from '@skein/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Libp2pSwarm } from './libp2p-swarm.ts'
import { pingConnection } from './liveness.ts'
import { createRelayStack, type RelayStack } from './relay-stack.ts'
import type { Stack } from './client-stack.ts'
import { createStack } from './stack.ts'
import { silentLogger, stackOf, TestNetwork } from './test-network.ts'

const ECHO: ProtocolId = '/skein/test-echo/1'
/** Two dials: on a busy machine ICE may run out of time once. */
const DEADLINE = { timeout: 40_000, interval: 50 }
const network = new TestNetwork()
const running: (Stack | RelayStack)[] = []

afterEach(async () => {
  await network.clear()
  await Promise.all(running.splice(0).map((each) => each.stop()))
})

const webRtcAddresses = (swarm: Libp2pSwarm): readonly string[] => swarm.addresses().filter((each) => each.includes('/webrtc/'))

describe('webrtc', { timeout: 90_000 }, () => {
  it('connects two devices directly that know each other by an address over a relay, and carries frames without it', async () => {
    const relay = await network.relay(151)
    const [a, b] = [await network.swarm({ relays: [relay.url] }), await network.swarm({ relays: [relay.url] })]
    await vi.waitFor(() => expect(webRtcAddresses(b)).not.toEqual([]), DEADLINE)
    b.handle(ECHO, async (channel) => {
      for await (const frame of channel.frames()) await channel.send(frame)
    })
    // By exactly this address; left to itself the swarm may find TCP first, which on one machine is open as well.
    const dial = () => stackOf(a).dial(webRtcAddresses(b).map((each) => multiaddr(each)))
    await vi.waitFor(() => dial(), DEADLINE)
    expect(a.paths().find(({ device }) => device === b.self)).toMatchObject({ transport: 'webrtc' })
    expect(a.paths().find(({ device }) => device === b.self)?.path).not.toBe('relayed')
    const outcome = await a.open(b.self, ECHO)
    if (outcome.kind !== 'open') throw new Error(outcome.reason)
    await relay.stop()
    const frame = new Uint8Array(MAX_FRAME_BYTES).fill(7)
    expect(await outcome.channel.send(frame)).toBe(true)
    const { value } = await outcome.channel.frames()[Symbol.asyncIterator]().next()
    expect(value).toEqual(frame)
  })

  it('reaches a relay by WebRTC-direct, which needs no certificate of anybody', async () => {
    const durable = { get: () => undefined, put: () => undefined, delete: () => undefined }
    const listen = { host: '127.0.0.1', tcp: 'off', ws: 'off', webrtc: 0 } as const
    const relay = await createRelayStack({ privateKeySeed: new Uint8Array(32).fill(1), listen, durable, logger: silentLogger })
    running.push(relay)
    expect(relay.addresses()).toHaveLength(1)
    expect(relay.addresses()[0]).toMatch(/\/udp\/\d+\/webrtc-direct\/certhash\//)
    const judge = { verify: () => true, isNewer: () => false }
    const options = { listen: { host: '127.0.0.1', port: 0 }, stunServers: () => [], gater: {}, judge }
    const stack = await createStack({ privateKeySeed: new Uint8Array(32), ...options })
    running.push(stack)
    await stack.start()
    const connection = await stack.dial(multiaddr(relay.addresses()[0]))
    expect(connection.remoteAddr.toString()).toContain('/webrtc-direct/')
    await expect(pingConnection(connection, AbortSignal.timeout(10_000))).resolves.toBeUndefined()
    expect(relay.isConnected(stack.peerId.toString())).toBe(true)
  })
})
