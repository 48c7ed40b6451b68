import type { Connection } from '@libp2p/interface'
import { parseDeviceId } from '@skein/core'
import { VirtualClock } from '@skein/core/testing'
import { expect, it, vi } from 'vitest'
import { BrokenOff, refusedFor } from '../punch/broken-off.ts'
import { NotNow } from '../punch/not-now.ts'
import { markDoubted, markUnproven } from './connections.ts'
import { PROVEN_LOOKS, PROVEN_WITHIN_MS, PUNCH_AGAIN_AFTER_MS, SETTLE_AFTER_MS } from './constants.ts'
import type { DirectTry } from './dialling.ts'
import { Improver, type ImproverDeps } from './improving.ts'
import { PunchTries, type PunchTriesDeps } from './punch-tries.ts'
import type { RungReport } from './rungs.ts'
import { silentLogger } from './test-network.ts'

const DEVICE = parseDeviceId('12D3KooWBg9Fk4u8hWv2yL5S5s6hrPWvqo8c3dKoCQidZDDoNH3r')
const over = (address: string) =>
  ({ remoteAddr: address, status: 'open', direction: 'inbound', timeline: { open: 0 }, remotePeer: DEVICE }) as unknown as Connection
const RELAYED = over('/ip4/127.0.0.1/tcp/1/ws/p2p-circuit')
const DIRECT = over('/ip4/127.0.0.1/tcp/1')

/** A device that is reached in the way that `standing` says, and whose dials hang until they are ended. */
function world({ isPage = false } = {}) {
  const stopped = new AbortController()
  const state = {
    standing: RELAYED as Connection | undefined,
    open: [RELAYED],
    dials: 0,
    punches: 0,
    /** Whether a punch loses its stream at once. */
    breaksOff: false,
    hangs: true,
    rungs: [] as readonly string[],
    isKept: true,
    declined: 0,
    reports: [] as RungReport[],
    /** Why a punch fails. */
    failure: undefined as Error | undefined,
    /** What the device says that it speaks. */
    protocols: [] as readonly string[],
    isIdentified: true,
  }
  const dialDirect = (_device: unknown, { signal, rungs }: DirectTry): Promise<never> => {
    state.dials += 1
    state.rungs = rungs
    if (!state.hangs) return Promise.reject(new Error('nobody there'))
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('ended')), { once: true }))
  }
  const peerStore = {
    get: async () => ({ protocols: state.protocols, metadata: new Map(state.isIdentified ? [['AgentVersion', '']] : []) }),
  }
  const stack = { peerStore, getConnections: () => state.open, addEventListener: () => undefined, removeEventListener: () => undefined }
  const clock = new VirtualClock()
  const remember = (_device: unknown, reports: readonly RungReport[]): void =>
    void (state.reports = [...state.reports.filter(({ rung }) => !reports.some((each) => each.rung === rung)), ...reports])
  const punch = (_relayed: unknown, _device: unknown, signal: AbortSignal): Promise<never> =>
    new Promise((_resolve, reject) => {
      state.punches += 1
      if (state.breaksOff) reject(new BrokenOff())
      else if (!state.hangs) reject(state.failure ?? new Error('nobody there'))
      else signal.addEventListener('abort', () => reject(new Error('ended')), { once: true })
    })
  const decline = async (): Promise<void> => void (state.declined += 1)
  const puncher = {
    tcp: { prepare: () => undefined, isUsable: () => false, punch },
    udp: { punch, decline },
    settle: () => undefined,
    knowHairpin: () => undefined,
  }
  const dialler = { standing: () => state.standing, dialDirect, remember, reports: () => state.reports }
  const deps = { stack, dialler, puncher: isPage ? undefined : puncher }
  const isKept = (): boolean => state.isKept
  const improver = new Improver({
    ...deps,
    self: DEVICE,
    createPunchTries: (given: PunchTriesDeps) => new PunchTries(given),
    isKept,
    clock,
    logger: silentLogger,
    stopping: stopped.signal,
  } as unknown as ImproverDeps)
  return { state, clock, improver, stop: () => stopped.abort() }
}

it('[PT9] what hangs on a circuit that goes is begun anew, and nothing is because another connection goes', async () => {
  const { state, clock, improver, stop } = world()
  const [first, second] = [over('/ip4/127.0.0.8/tcp/1/ws/p2p-circuit'), over('/ip4/127.0.0.9/tcp/1/ws/p2p-circuit')]
  state.open = [first, second]
  const done = improver.improve(DEVICE)
  await clock.advance(5_000)
  expect([state.dials, state.punches]).toEqual([1, 2])
  state.open = [first]
  Object.assign(second, { status: 'closed' })
  await Promise.all([improver.lost(DEVICE), clock.advance(5_000)])
  expect([state.dials, state.punches]).toEqual([1, 2])
  state.open = [RELAYED]
  Object.assign(first, { status: 'closed' })
  await Promise.all([improver.lost(DEVICE), clock.advance(5_000)])
  expect([state.dials, state.punches]).toEqual([2, 4])
  stop()
  await done
})

it('[PT9] a dial that hangs in the network of before is begun anew in the next one', async () => {
  const { state, clock, improver, stop } = world()
  const done = improver.improve(DEVICE)
  await clock.advance(5_000)
  improver.retry()
  await clock.advance(0)
  expect(state.dials).toBe(2)
  stop()
  await done
})

it('[PT9] what is under way goes on beside a new circuit, unless one that it may hang on does not answer, or has ended', async () => {
  const { state, clock, improver, stop } = world()
  const done = improver.improve(DEVICE)
  const another = async (host: number): Promise<void> => {
    state.open = [...state.open, over(`/ip4/127.0.0.${host}/tcp/1/ws/p2p-circuit`)]
    await Promise.all([improver.improve(DEVICE), clock.advance(1_500)])
  }
  await clock.advance(1_500)
  markDoubted(RELAYED, true)
  // Nothing new.
  await Promise.all([improver.improve(DEVICE), clock.advance(1_500)])
  markDoubted(RELAYED, false)
  await another(2)
  expect(state.dials).toBe(1)
  markDoubted(RELAYED, true)
  await another(3)
  markDoubted(RELAYED, false)
  expect(state.dials).toBe(2)
  await another(4)
  expect(state.dials).toBe(2)
  for (const each of state.open) Object.assign(each, { status: 'closed' })
  await another(5)
  Object.assign(RELAYED, { status: 'open' })
  expect(state.dials).toBe(3)
  stop()
  await done
})

it('[PT7] a punch that broke off is begun again while other rungs are being tried; one that was tried is not', async () => {
  const { state, clock, improver, stop } = world()
  state.breaksOff = true
  const done = improver.lost(DEVICE)
  await clock.advance(10_000)
  expect([state.dials, state.punches]).toEqual([1, 2 * (1 + PUNCH_AGAIN_AFTER_MS.length)])
  improver.retry()
  await clock.advance(10)
  const before = state.punches
  state.breaksOff = false
  await clock.advance(10_000)
  expect([state.dials, state.punches]).toEqual([2, before + 2])
  stop()
  await done
})

it('[PT4] a circuit by which the other side comes while other rungs are being tried is punched over at once', async () => {
  const { state, clock, improver, stop } = world()
  const dialled = { ...RELAYED, direction: 'outbound' } as Connection
  state.open = [dialled]
  const done = improver.lost(DEVICE)
  await clock.advance(500)
  expect([state.dials, state.punches]).toEqual([1, 0])
  state.open = [dialled, RELAYED]
  await Promise.all([improver.improve(DEVICE), clock.advance(1_500)])
  expect([state.dials, state.punches]).toEqual([1, 2])
  stop()
  await done
})

it('[PT1] nothing more is tried for a moment while what was found is proven, and only for that', async () => {
  const { state, clock, improver, stop } = world()
  state.hangs = false
  const found = over('/ip4/192.0.2.1/udp/1')
  const done = improver.lost(DEVICE)
  await clock.advance(10)
  markUnproven(found, true)
  state.open = [RELAYED, found]
  await clock.advance(900 + PROVEN_LOOKS * PROVEN_WITHIN_MS)
  const { dials } = state
  await clock.advance(200)
  expect([dials, state.dials]).toEqual([1, 2])
  stop()
  await done
})

it('[PT10] ways by UDP are left out where it does not get through, and taken at once where it does, or may in another network', async () => {
  const { state, clock, improver, stop } = world()
  state.hangs = false
  const waited = async (): Promise<readonly [number, boolean]> => {
    await clock.advance(10)
    return [state.dials, state.rungs.includes('webrtc')]
  }
  const done = improver.improve(DEVICE)
  improver.knowUdp(false)
  await clock.advance(30_000)
  const [before] = await waited()
  expect(await waited()).toEqual([before, false])
  improver.knowUdp(true)
  expect(await waited()).toEqual([before + 1, true])
  improver.knowUdp(true)
  expect(await waited()).toEqual([before + 1, true])
  improver.knowUdp(false)
  improver.retry()
  expect(await waited()).toEqual([before + 2, true])
  stop()
  await done
})

it('when a direct connection goes and a relayed one is left, a better one is looked for again', async () => {
  const { state, clock, improver, stop } = world()
  state.standing = DIRECT
  await Promise.all([improver.improve(DEVICE), clock.advance(1_000)])
  expect(state.dials).toBe(0)
  state.standing = RELAYED
  const done = improver.lost(DEVICE)
  await clock.advance(5_000)
  expect(state.dials).toBe(1)
  stop()
  await done
})

it('a device that has told its addresses long ago is dialled without a wait for them', async () => {
  const { state, clock, improver, stop } = world()
  const done = improver.lost(DEVICE)
  await clock.advance(10)
  expect(state.dials).toBe(1)
  stop()
  await done
})

it('[PT2] why a punch failed is not forgotten because the next one is not begun, or ended for something faster', async () => {
  const { state, clock, improver, stop } = world()
  const why = (rung: string): string | undefined => state.reports.find((each) => each.rung === rung)?.detail
  state.hangs = false
  state.failure = new NotNow('tried not long ago')
  const done = improver.lost(DEVICE)
  await clock.advance(10)
  expect(why('udp-punch')).toBe('tried not long ago')
  state.failure = new Error('the ports would have to be guessed')
  await clock.advance(1_000)
  expect(why('udp-punch')).toBe('the ports would have to be guessed')
  state.failure = new NotNow('tried not long ago')
  await clock.advance(3_000)
  state.hangs = true
  await clock.advance(10_000)
  await Promise.all([improver.settle(DEVICE), clock.advance(1_000)])
  expect(why('udp-punch')).toBe('the ports would have to be guessed')
  stop()
  await done
})

it('[PT2] where UDP does not get through, that is why WebRTC is not used', async () => {
  const { state, clock, improver, stop } = world()
  improver.knowUdp(false)
  const done = improver.lost(DEVICE)
  await clock.advance(10)
  expect(state.reports).toContainEqual({ rung: 'webrtc', outcome: 'failed', detail: 'UDP does not get through here' })
  stop()
  await done
})

it('[PT2] who waits for a punch over UDP is told that it does not get through here, and that holds for WebRTC there', async () => {
  const { state, clock, improver, stop } = world()
  improver.knowUdp(false)
  const done = improver.lost(DEVICE)
  await clock.advance(10)
  expect([state.declined, state.punches]).toEqual([1, 1])
  improver.answered(DEVICE, 'udp', refusedFor('no-udp'))
  for (const rung of ['udp-punch', 'webrtc'])
    expect(state.reports).toContainEqual({ rung, outcome: 'failed', detail: 'UDP does not get through at the other side' })
  stop()
  await done
})

it('[PT2] of a page both sides say that it cannot punch, whichever of them was reached', async () => {
  const page = world({ isPage: true })
  const done = page.improver.lost(DEVICE)
  await page.clock.advance(10)
  const punches = (reports: readonly RungReport[]): readonly string[] =>
    reports.filter(({ rung }) => rung.endsWith('-punch')).map(({ outcome, detail }) => `${outcome} ${detail}`)
  expect(punches(page.state.reports)).toEqual(Array(2).fill('failed a page cannot punch'))
  page.stop()
  await done
  for (const direction of ['inbound', 'outbound'] as const) {
    const { state, clock, improver, stop } = world()
    state.open = [{ ...RELAYED, direction } as Connection]
    state.protocols = ['/ipfs/id/1.0.0']
    state.breaksOff = true
    const tried = improver.lost(DEVICE)
    await clock.advance(10_000)
    expect(punches(state.reports)).toEqual(Array(2).fill('failed the other side is a page, and cannot punch'))
    expect(state.punches).toBe(direction === 'inbound' ? 2 : 0)
    stop()
    await tried
  }
})

it('[PT2] a device is taken for no page by what it has used before it has said what it speaks', async () => {
  const { state, clock, improver, stop } = world()
  Object.assign(state, { protocols: ['/ipfs/id/1.0.0'], isIdentified: false, breaksOff: true })
  const done = improver.lost(DEVICE)
  await clock.advance(10_000)
  expect(state.punches).toBe(2 * (1 + PUNCH_AGAIN_AFTER_MS.length))
  expect(state.reports.filter(({ detail }) => detail.includes('page'))).toEqual([])
  stop()
  await done
})

it('[PT2] an offer of WebRTC that failed is forgotten once another has succeeded, and what is heard of it late is no news', async () => {
  const { state, clock, improver, stop } = world()
  const told = (): readonly string[] => state.reports.filter(({ rung }) => rung === 'webrtc').map(({ outcome }) => outcome)
  improver.offerFailed(DEVICE)
  expect(told()).toEqual(['failed'])
  state.open = [RELAYED, over('/ip4/127.0.0.1/tcp/1/ws/p2p-circuit/webrtc')]
  const settled = improver.settle(DEVICE)
  improver.offerFailed(DEVICE)
  expect(told()).toEqual(['open'])
  await clock.advance(SETTLE_AFTER_MS)
  await settled
  stop()
})

it('[PT2] an offer of WebRTC that is given up because another way was faster is no news', () => {
  const { state, improver, stop } = world()
  state.open = [RELAYED, over('/ip4/9.9.9.9/udp/4000')]
  improver.offerFailed(DEVICE)
  expect(state.reports).toEqual([])
  stop()
})

it('nothing is left waiting when it is reached no more', async () => {
  const { state, clock, improver } = world()
  const done = improver.improve(DEVICE)
  state.standing = undefined
  await clock.advance(60_000)
  await vi.waitFor(() => done)
  expect(state.dials).toBe(0)
})

it('[PT5] for a stranger who comes over a relay nothing is looked for, and no longer for who is none of ours any more', async () => {
  const { state, clock, improver, stop } = world()
  state.isKept = false
  await improver.improve(DEVICE)
  await improver.lost(DEVICE)
  await clock.advance(60_000)
  expect(state.dials).toBe(0)
  state.isKept = true
  const done = improver.improve(DEVICE)
  await clock.advance(5_000)
  expect(state.dials).toBe(1)
  state.isKept = false
  improver.retry()
  await clock.advance(60_000)
  await vi.waitFor(() => done)
  expect(state.dials).toBe(1)
  stop()
})
