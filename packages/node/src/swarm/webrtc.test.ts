/** WebRTC between real endpoints of this machine: the transport that gets through home routers, with no third party asked. */
import { multiaddr } from '@multiformats/multiaddr'
import { MAX_FRAME_BYTES, type ProtocolId } from '@skein/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type BulkConnection, MAX_BULK_FRAME_BYTES } from '../bulk/index.ts'
import { handleDataChannels, openDataChannel } from '../bulk/data-channels.ts'
import { nativePrimitives } from '../platform/primitives.ts'
import { systemClock, systemRandom } from '../platform/system.ts'
import { getText } from './get-text.ts'
import { Libp2pSwarm } from './libp2p-swarm.ts'
import { pingConnection } from './liveness.ts'
import { createRelayStack, type RelayStack } from './relay-stack.ts'
import type { Stack } from './client-stack.ts'
import { createStack as createBrowserStack, disguised } from './stack.browser.ts'
import { createStack } from './stack.ts'
import { silentLogger, TestNetwork } from './test-network.ts'

const ECHO: ProtocolId = '/skein/test-echo/1'
/** Two dials: on a busy machine ICE may run out of time once. */
const DEADLINE = { timeout: 40_000, interval: 50 }
const network = new TestNetwork()
const running: (Stack | RelayStack)[] = []
const swarms: Libp2pSwarm[] = []
const judge = { verify: () => true, isNewer: () => false }

afterEach(async () => {
  await Promise.all(swarms.splice(0).map((each) => each.stop()))
  await network.clear()
  await Promise.all(running.splice(0).map((each) => each.stop()))
})

let seeds = 0

async function browserLike(relay: string): Promise<Libp2pSwarm> {
  const platform = { createStack: createBrowserStack, createDisguise: disguised, getText, primitives: nativePrimitives }
  const options = { listen: { port: 0 }, logger: silentLogger, clock: systemClock, random: systemRandom, judge }
  const swarm = new Libp2pSwarm({ ...options, privateKeySeed: new Uint8Array(32).fill((seeds += 1)), relays: [relay] }, platform)
  swarms.push(swarm)
  await swarm.start()
  return swarm
}

/** Two that can be dialled by nothing but WebRTC, over a relay. */
async function pairAt(relay: string): Promise<[Libp2pSwarm, Libp2pSwarm]> {
  const [a, b] = [await browserLike(relay), await browserLike(relay)]
  await vi.waitFor(() => expect([a, b].map((each) => webRtcAddresses(each).length > 0)).toEqual([true, true]), DEADLINE)
  b.handle(ECHO, async (channel) => {
    for await (const frame of channel.frames()) await channel.send(frame)
  })
  return [a, b]
}

const webRtcAddresses = (swarm: Libp2pSwarm): readonly string[] => swarm.addresses().filter((each) => each.includes('/webrtc/'))

describe('webrtc', { timeout: 90_000 }, () => {
  it('[PT1] connects two devices directly that know each other by an address over a relay, and carries frames without it', async () => {
    const relay = await network.relay(151)
    // As two browsers: nothing to dial but the relay, nothing to be dialled by but WebRTC.
    const [a, b] = await pairAt(relay.url)
    a.keep(b.self, true)
    b.keep(a.self, true)
    let better = false
    a.listen({ onBetterPath: (device) => void (better ||= device === b.self) })
    expect((await a.open(b.self, ECHO)).kind).toBe('open')
    await vi.waitFor(() => expect(a.paths().find(({ device }) => device === b.self)).toMatchObject({ transport: 'webrtc' }), DEADLINE)
    expect(a.paths().find(({ device }) => device === b.self)?.path).not.toBe('relayed')
    await vi.waitFor(() => expect(better).toBe(true), DEADLINE)
    const told = (): readonly string[] =>
      [a.rungs(b.self), b.rungs(a.self)].flat().flatMap(({ rung, outcome }) => (rung === 'webrtc' ? [outcome] : []))
    await vi.waitFor(() => expect(told()).toEqual(['open', 'open']), DEADLINE)
    const outcome = await a.open(b.self, ECHO)
    if (outcome.kind !== 'open') throw new Error(outcome.reason)
    await relay.stop()
    const frame = new Uint8Array(MAX_FRAME_BYTES).fill(7)
    expect(await outcome.channel.send(frame)).toBe(true)
    const { value } = await outcome.channel.frames()[Symbol.asyncIterator]().next()
    expect(value).toEqual(frame)
  })

  it('[BU5] [BU9] a data channel taken out of the library’s hands carries frames of any size, whole and in order, and ends for both', async () => {
    const relay = await network.relay(154)
    const [a, b] = await pairAt(relay.url)
    a.keep(b.self, true)
    b.keep(a.self, true)
    expect((await a.open(b.self, ECHO)).kind).toBe('open')
    await vi.waitFor(() => expect(a.paths().find(({ device }) => device === b.self)).toMatchObject({ transport: 'webrtc' }), DEADLINE)
    const taken: BulkConnection[] = []
    const wish = { purpose: 'test', signal: AbortSignal.timeout(60_000) }
    handleDataChannels(b, 'test', { allows: () => false, onOpened: (each) => taken.push(each) })
    expect(await openDataChannel(a, b.self, wish)).toBeUndefined()
    handleDataChannels(b, 'test', { allows: () => true, onOpened: (each) => taken.push(each) })
    const near = await openDataChannel(a, b.self, wish)
    const far = taken[0]
    if (near === undefined || far === undefined) throw new Error('no data channel')
    const frames = [1, 4, 65_536, 65_537, MAX_BULK_FRAME_BYTES, 4].map((size, at) => new Uint8Array(size).fill(at))
    for (const [from, to] of [[near, far] as const, [far, near] as const]) {
      const writing = Promise.all(frames.map((frame) => from.write(frame)))
      const reader = to[Symbol.asyncIterator]()
      for (const frame of frames) expect(Buffer.from(frame).equals((await reader.next()).value as Uint8Array)).toBe(true)
      await writing
    }
    expect(() => near.write(new Uint8Array(MAX_BULK_FRAME_BYTES + 1))).toThrow(RangeError)
    await near.close()
    expect((await far[Symbol.asyncIterator]().next()).done).toBe(true)
    await expect(far.write(Uint8Array.of(8))).rejects.toThrow()
  })

  it('[PT5] takes no offer of a stranger: what it names would be sent to', async () => {
    const relay = await network.relay(153)
    const [first, second] = await pairAt(relay.url)
    const [offering, asked] = first.self < second.self ? [first, second] : [second, first]
    asked.handle(ECHO, async () => undefined)
    offering.keep(asked.self, true)
    expect((await offering.open(asked.self, ECHO)).kind).toBe('open')
    const webrtc = () => offering.rungs(asked.self).find(({ rung }) => rung === 'webrtc')
    await vi.waitFor(() => expect(webrtc()).toMatchObject({ outcome: 'failed' }), DEADLINE)
    expect(offering.paths().find(({ device }) => device === asked.self)?.path).toBe('relayed')
    // Both want it from now on.
    asked.keep(offering.self, true)
    await vi.waitFor(
      () => expect(offering.paths().find(({ device }) => device === asked.self)).toMatchObject({ transport: 'webrtc' }),
      DEADLINE,
    )
  })

  it('reaches a relay by WebRTC-direct, which needs no certificate of anybody', async () => {
    const durable = { get: () => undefined, put: () => undefined, delete: () => undefined }
    const listen = { host: '127.0.0.1', tcp: 'off', ws: 'off', webrtc: 0 } as const
    const relay = await createRelayStack({ privateKeySeed: new Uint8Array(32).fill(1), listen, durable, logger: silentLogger })
    running.push(relay)
    expect(relay.addresses()).toHaveLength(1)
    expect(relay.addresses()[0]).toMatch(/\/udp\/\d+\/webrtc-direct\/certhash\//)
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
