import type { Connection } from '@libp2p/interface'
import { parseDeviceId } from '@skein/core'
import { VirtualClock } from '@skein/core/testing'
import { expect, it, vi } from 'vitest'
import { Improver, type ImproverDeps } from './improving.ts'
import { silentLogger } from './test-network.ts'

const DEVICE = parseDeviceId('12D3KooWBg9Fk4u8hWv2yL5S5s6hrPWvqo8c3dKoCQidZDDoNH3r')
const over = (address: string) => ({ remoteAddr: address, status: 'open' }) as unknown as Connection
const RELAYED = over('/ip4/127.0.0.1/tcp/1/ws/p2p-circuit')
const DIRECT = over('/ip4/127.0.0.1/tcp/1')

/** A device that is reached in the way that `standing` says, and whose dials hang until they are ended. */
function world() {
  const stopped = new AbortController()
  const state = { standing: RELAYED as Connection | undefined, dials: 0, isKept: true }
  const dialDirect = (_device: unknown, { signal }: { readonly signal: AbortSignal }): Promise<never> => {
    state.dials += 1
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('ended')), { once: true }))
  }
  const stack = { getConnections: () => [], addEventListener: () => undefined, removeEventListener: () => undefined }
  const clock = new VirtualClock()
  const deps = { stack, dialler: { standing: () => state.standing, dialDirect, remember: () => undefined }, puncher: undefined }
  const isKept = (): boolean => state.isKept
  const improver = new Improver({ ...deps, isKept, clock, logger: silentLogger, stopping: stopped.signal } as unknown as ImproverDeps)
  return { state, clock, improver, stop: () => stopped.abort() }
}

it('a dial that hangs while a connection of the device goes is begun anew', async () => {
  const { state, clock, improver, stop } = world()
  const done = improver.improve(DEVICE)
  await clock.advance(5_000)
  expect(state.dials).toBe(1)
  void improver.lost(DEVICE)
  await clock.advance(5_000)
  expect(state.dials).toBe(2)
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
  void improver.lost(DEVICE)
  await clock.advance(60_000)
  await vi.waitFor(() => done)
  expect(state.dials).toBe(1)
  stop()
})
