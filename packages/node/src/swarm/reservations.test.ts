import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { lpStream } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { type DeviceId, encodeHopReply, parseDeviceId } from '@skein/core'
import { VirtualClock } from '@skein/core/testing'
import { createLibp2p } from 'libp2p'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { RENEW_PLACE_MS } from './constants.ts'
import { Reservations } from './reservations.ts'
import type { Stack } from './client-stack.ts'
import { createStack } from './stack.ts'
import { securedAndMuxed } from './stack-parts.ts'
import { TestNetwork, type TestRelay } from './test-network.ts'

const network = new TestNetwork()
let stack: Stack
let reservations: Reservations
let clock: VirtualClock

beforeEach(async () => {
  const judge = { verify: () => true, isNewer: () => false }
  const listen = { host: '127.0.0.1', port: 0 }
  stack = await createStack({ privateKeySeed: new Uint8Array(32), listen, stunServers: () => [], gater: {}, judge })
  await stack.start()
  clock = new VirtualClock()
  reservations = new Reservations(stack, clock)
})

afterEach(async () => {
  await stack.stop()
  await network.clear()
})

const idOf = (relay: TestRelay): DeviceId => parseDeviceId(relay.stack().peerId)

/** Connects, so that only the reservation itself is left to do. */
async function connect(address: string | undefined): Promise<string> {
  const { remoteAddr } = await stack.dial(multiaddr(address))
  return remoteAddr.toString()
}

/** Shorter than the time after which a request that was thrown away is given up. */
const soon = (): AbortSignal => AbortSignal.timeout(8_000)

async function reserve(relay: TestRelay): Promise<void> {
  await reservations.reserve(idOf(relay), await connect(relay.stack().addresses()[0]), soon())
}

/** Connects with anybody, and is no relay. */
async function bareNode(seed: number): Promise<Libp2p> {
  return createLibp2p({
    privateKey: await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(seed)),
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    ...securedAndMuxed(),
    services: { identify: identify() },
  })
}

describe('reservations', { timeout: 60_000 }, () => {
  it('are made one at a time: none asked for at once with others is thrown away', async () => {
    const relays = await Promise.all([121, 122, 123, 124].map((seed) => network.relay(seed)))
    const addresses = await Promise.all(relays.map((each) => connect(each.stack().addresses()[0])))
    await Promise.all(relays.map((each, at) => reservations.reserve(idOf(each), addresses[at] ?? '', soon())))
    await vi.waitFor(() => expect(relays.map((each) => reservations.isReserved(idOf(each)))).toEqual([true, true, true, true]), {
      timeout: 5_000,
    })
  })

  it('with other relays stand when one is discarded, and are renewed later all the same', async () => {
    const [stays, goes] = [await network.relay(125), await network.relay(126)]
    await reserve(stays)
    await reserve(goes)
    const lost: DeviceId[] = []
    reservations.onLost((relay) => lost.push(relay))
    reservations.discard(idOf(goes))
    expect(reservations.listenerCount()).toBe(1)
    expect(reservations.isReserved(idOf(stays))).toBe(true)
    await stack.hangUp(multiaddr(stays.stack().addresses()[0]))
    await vi.waitFor(() => expect(reservations.isReserved(idOf(stays))).toBe(false), { timeout: 5_000 })
    expect(lost).toEqual([idOf(stays)])
    await reserve(stays)
    await vi.waitFor(() => expect(reservations.isReserved(idOf(stays))).toBe(true), { timeout: 5_000 })
    expect(reservations.listenerCount()).toBe(1)
  })

  it('do not wait for a relay that is asked and never answers', async () => {
    const mute = await bareNode(128)
    await mute.handle('/libp2p/circuit/relay/0.2.0/hop', () => undefined)
    const address = await connect(mute.getMultiaddrs()[0]?.toString())
    const hanging = reservations.reserve(parseDeviceId(mute.peerId.toString()), address, AbortSignal.timeout(30_000))
    hanging.catch(() => undefined)
    const relay = await network.relay(129)
    // Within `soon`, and long before the other one is given up.
    await reserve(relay)
    await vi.waitFor(() => expect(reservations.isReserved(idOf(relay))).toBe(true), { timeout: 5_000 })
    await mute.stop()
  })

  it.each([1, 2 ** 40])('[PT15] stand, and are renewed in time, at a relay by whose clock they end at %i', async (expires) => {
    const bare = await bareNode(130)
    let asked = 0
    await bare.handle('/libp2p/circuit/relay/0.2.0/hop', async (stream) => {
      const frames = lpStream(stream)
      await frames.read()
      asked += 1
      await frames.write(encodeHopReply({ status: 'ok', place: { expires, addresses: [] } }))
    })
    const device = parseDeviceId(bare.peerId.toString())
    const address = await connect(bare.getMultiaddrs()[0]?.toString())
    const lost: DeviceId[] = []
    reservations.onLost((relay) => lost.push(relay))
    await reservations.reserve(device, address, soon())
    await vi.waitFor(() => expect(reservations.isReserved(device)).toBe(true), { timeout: 5_000 })
    await clock.advance(RENEW_PLACE_MS - 1)
    expect(reservations.isDue(device)).toBe(false)
    await clock.advance(1)
    expect(reservations.isDue(device)).toBe(true)
    await reservations.reserve(device, address, soon())
    expect([asked, reservations.isDue(device), reservations.isReserved(device), lost]).toEqual([2, false, true, []])
    await bare.stop()
  })

  it('are asked for again of a relay that could give none before', async () => {
    const seed = 127
    const bare = await bareNode(seed)
    const address = await connect(bare.getMultiaddrs()[0]?.toString())
    const device = parseDeviceId(bare.peerId.toString())
    await expect(reservations.reserve(device, address, soon())).rejects.toThrow()
    expect(reservations.listenerCount()).toBe(0)
    await bare.stop()
    await vi.waitFor(() => expect(stack.getConnections()).toEqual([]), { timeout: 5_000 })
    const relay = await network.relay(seed)
    await reserve(relay)
    await vi.waitFor(() => expect(reservations.isReserved(idOf(relay))).toBe(true), { timeout: 5_000 })
  })
})
