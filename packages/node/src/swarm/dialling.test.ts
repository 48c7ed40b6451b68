import type { Connection } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { parseDeviceId } from '@skein/core'
import { VirtualClock } from '@skein/core/testing'
import { expect, it } from 'vitest'
import { Dialler, type DiallerDeps } from './dialling.ts'
import type { RelayDescription } from './relay-description.ts'
import { IN_VAIN } from './rungs.ts'
import { silentLogger } from './test-network.ts'

const SELF = parseDeviceId('12D3KooWBg9Fk4u8hWv2yL5S5s6hrPWvqo8c3dKoCQidZDDoNH3r')
const DEVICE = parseDeviceId('12D3KooWSCoMBZDM1dDE1JZt1rnvTgxbxdw5QCNMjP9NSj1b4sqi')
const RELAY = parseDeviceId('12D3KooWKnDdG3iXw9eTFijk3EWSunZcFi54Zka4wmtqtt6rPxc8')
const RELAY_URL = 'http://relay.test'
const HANGING = '/ip4/192.0.2.9/tcp/1'
const BACK: RelayDescription = {
  device: RELAY,
  addresses: [`/ip4/192.0.2.1/tcp/2/p2p/${RELAY}`],
  stun: [],
  reflector: null,
  givesPlaces: true,
}
const GONE: RelayDescription = { ...BACK, addresses: [`/ip4/192.0.2.1/tcp/1/p2p/${RELAY}`] }

/** A device whose direct address hangs, and a relay that listens at its new port alone. */
function world() {
  const state = { joined: [] as RelayDescription[], described: GONE, dialled: [] as string[] }
  const dial = (address: Multiaddr, { signal }: { readonly signal: AbortSignal }): Promise<Connection> => {
    const text = address.toString()
    state.dialled.push(text)
    if (text.startsWith(BACK.addresses[0] ?? '')) return Promise.resolve(new FakeConnection(address) as unknown as Connection)
    if (text.startsWith('/ip4/192.0.2.1/')) return Promise.reject(new Error('refused'))
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('ended')), { once: true }))
  }
  const transportManager = { dial, dialTransportForMultiaddr: () => ({}) }
  const stack = {
    getConnections: () => [],
    getMultiaddrs: () => [],
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
    peerStore: { get: async () => ({ addresses: [{ multiaddr: HANGING }] }) },
    services: { transports: { transportManager } },
  }
  const stopping = new AbortController()
  const clock = new VirtualClock()
  const dialler = new Dialler({
    ...{ stack, self: SELF, clock, logger: silentLogger, stopping: stopping.signal },
    descriptions: { get: async () => state.described, forget: () => undefined },
    joinedRelays: () => state.joined,
    onCircuit: () => undefined,
  } as unknown as DiallerDeps)
  return { state, clock, dialler, stop: () => stopping.abort() }
}

class FakeConnection extends EventTarget {
  readonly status = 'open'
  readonly remoteAddr: Multiaddr

  constructor(remoteAddr: Multiaddr) {
    super()
    this.remoteAddr = remoteAddr
  }
}

it('[PT16] a relay that is joined while a direct dial hangs is taken at once', async () => {
  const { state, clock, dialler, stop } = world()
  const first = dialler.connect(DEVICE, [RELAY_URL])
  await clock.advance(1_000)
  expect(state.dialled.filter((each) => each === HANGING || each.startsWith(`${HANGING}/`))).toHaveLength(1)
  const second = dialler.connect(DEVICE, [])
  state.joined = [BACK]
  dialler.onRelay()
  await clock.advance(0)
  expect((await first).remoteAddr.toString()).toContain('/p2p-circuit')
  expect(await second).toBe(await first)
  stop()
})

it('[PT1] circuits are dialled 150 ms after a direct dial that hangs', async () => {
  const { state, clock, dialler, stop } = world()
  state.joined = [BACK]
  const first = dialler.connect(DEVICE, [])
  const circuits = (): number => state.dialled.filter((each) => each.includes('/p2p-circuit')).length
  await clock.advance(149)
  expect(circuits()).toBe(0)
  await clock.advance(1)
  expect(circuits()).toBe(1)
  expect((await first).remoteAddr.toString()).toContain('/p2p-circuit')
  stop()
})

it('[PT16] a relay that another call knows is tried beside a direct dial that hangs', async () => {
  const { state, clock, dialler, stop } = world()
  state.described = BACK
  const first = dialler.connect(DEVICE, [])
  await clock.advance(1_000)
  const second = dialler.connect(DEVICE, [RELAY_URL])
  await clock.advance(0)
  expect((await second).remoteAddr.toString()).toContain('/p2p-circuit')
  expect(await first).toBe(await second)
  stop()
})

it('[PT2] a dial that was given up before it began says nothing of what is known, and one of some ways nothing of the others', async () => {
  const { clock, dialler, stop } = world()
  const webrtc = { rung: 'webrtc', outcome: 'failed', detail: 'no candidate pair' } as const
  dialler.remember(DEVICE, [webrtc])
  await expect(dialler.dialDirect(DEVICE, { signal: AbortSignal.abort(), rungs: ['lan', 'direct', 'webrtc'] })).rejects.toThrow()
  expect(dialler.reports(DEVICE)).toEqual([webrtc])
  const round = new AbortController()
  const dial = dialler.dialDirect(DEVICE, { signal: round.signal, rungs: ['lan', 'direct'] })
  await clock.advance(0)
  round.abort()
  await expect(dial).rejects.toThrow()
  const [first, ...others] = dialler.reports(DEVICE)
  expect(first).toEqual(webrtc)
  expect(others).toMatchObject([
    { rung: 'lan', outcome: 'no-address' },
    { rung: 'direct', outcome: 'failed', detail: '1 tried; another was faster' },
  ])
  stop()
})

it('[PT2] what the other side has tried in vain is known, until it is known better', () => {
  const { dialler } = world()
  const learnt = { rung: 'webrtc', outcome: 'failed', detail: IN_VAIN } as const
  dialler.remember(DEVICE, [learnt])
  dialler.remember(DEVICE, [{ rung: 'webrtc', outcome: 'other-side', detail: 'the other side tries this one' }])
  expect(dialler.reports(DEVICE)).toEqual([learnt])
  dialler.remember(DEVICE, [{ rung: 'webrtc', outcome: 'open', detail: '' }])
  expect(dialler.reports(DEVICE)).toMatchObject([{ outcome: 'open' }])
})

it('[PT2] a local address at which somebody was found and not reached is known, whatever the device announces', async () => {
  const { clock, dialler, stop } = world()
  const approached = dialler.approach(DEVICE, ['/ip4/192.168.1.7/tcp/1'])
  await clock.advance(0)
  stop()
  await approached
  expect(dialler.reports(DEVICE)).toMatchObject([{ rung: 'lan', outcome: 'failed' }])
  const dial = dialler.dialDirect(DEVICE, { signal: AbortSignal.timeout(50), rungs: ['lan', 'direct'] })
  await expect(dial).rejects.toThrow()
  expect(dialler.reports(DEVICE)).toMatchObject([
    { rung: 'lan', outcome: 'failed' },
    { rung: 'direct', outcome: 'failed', detail: '1 tried; nobody answered in time' },
  ])
  dialler.move()
  expect(dialler.reports(DEVICE)).toEqual([])
})

it('[LD7] an address where nobody answers keeps nobody from another one of the same device, and a few are dialled at once', async () => {
  const { state, clock, dialler, stop } = world()
  const near = (host: number): string => `/ip4/192.168.1.${host}/tcp/1`
  const done = [1, 1, 2, 3, 4, 5].map((host) => dialler.approach(DEVICE, [near(host)]))
  await clock.advance(0)
  expect(state.dialled.map((each) => each.split('/p2p/')[0])).toEqual([1, 2, 3, 4].map(near))
  stop()
  await Promise.all(done)
})
