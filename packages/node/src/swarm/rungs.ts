/** The ladder of ways to a device, as data: what was tried on each rung, and why not a better one is in use. */
import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { DeviceId } from '@skein/core'
import { isNear, isRelayed, transportOf } from './connections.ts'
import { attempt, firstOf } from './dial-race.ts'
import type { Stack } from './client-stack.ts'

/** Best first. */
export const RUNGS = ['lan', 'direct', 'tcp-punch', 'udp-punch', 'webrtc', 'relayed'] as const
export type Rung = (typeof RUNGS)[number]

/** Those that are dialled by an address. */
const DIALLED = ['lan', 'direct', 'webrtc'] as const

export interface RungReport {
  readonly rung: Rung
  readonly outcome: 'open' | 'failed' | 'no-address' | 'other-side'
  /** For people; addresses are not secret between contacts. */
  readonly detail: string
}

export const OVERTAKEN = 'another was faster'
/** Of a try that was ended because something has changed. */
export const BEGUN_ANEW = 'begun anew'

/** Of a way that is the other side's to try. */
export const IN_VAIN = 'the other side tried it in vain'

/** What is told of a punch, and holds for WebRTC as well. */
export const NO_UDP_THERE = 'UDP does not get through at the other side'
/** What was learnt of the other side stands while the way is left to it. */
export const isLearnt = ({ detail }: RungReport): boolean => detail === IN_VAIN || detail === NO_UDP_THERE

/** Whether it was tried to its end: what was found out before that says more (PT2). */
export function isTried({ outcome, detail }: RungReport): boolean {
  return outcome !== 'failed' || !(detail.endsWith(OVERTAKEN) || detail.endsWith(BEGUN_ANEW))
}

/** Addresses of one device that are dialled at once, and of WebRTC in turn; an honest device has a handful. */
const MAX_ADDRESSES = 16

export function rungOf(address: string): Rung {
  if (isRelayed(address)) return 'relayed'
  if (transportOf(address) === 'webrtc') return 'webrtc'
  return isNear(address) ? 'lan' : 'direct'
}

export interface DirectDial {
  readonly self: DeviceId
  readonly device: DeviceId
  /** Multiaddrs, with or without the peer id. */
  readonly addresses: readonly string[]
  /** Those that are tried, and reported. */
  readonly rungs: readonly Rung[]
  readonly signal: AbortSignal
  /** WebRTC, which costs most, is dialled when this has come, if nothing else has succeeded by then. */
  readonly webrtc?: Promise<unknown> | undefined
}

/**
 * Dials every direct address at once, past the library's queue, which takes them one after the other; the first
 * connection ends the other dials. WebRTC is tried by the smaller device only, or there would be two.
 * @param report told how each rung went, when that is known
 * @throws Error when there is no way
 */
export async function dialRungs(
  stack: Stack,
  { self, device, addresses, rungs, signal, webrtc }: DirectDial,
  report: (reports: readonly RungReport[]) => void,
): Promise<Connection> {
  const isMeant = meantFor(stack.getMultiaddrs().map(String))
  const wanted = fewEnough(addresses.filter((each) => dialled(rungs).includes(rungOf(each)) && isMeant(each)))
  const tried = wanted.filter((each) => rungOf(each) !== 'webrtc' || self < device)
  const errors = new Map<string, string>()
  const attempts = groupsOf(tried).map((group) => {
    const whole = group.map((each) => (each.endsWith(`/p2p/${device}`) ? each : `${each}/p2p/${device}`))
    const turn = rungOf(whole[0] ?? '') === 'webrtc' ? webrtc : undefined
    const begun = attempt(async (own) => {
      await turn
      own.throwIfAborted()
      return dialInTurn(stack, whole, own)
    }, signal)
    begun.dial.catch((error: unknown) => errors.set(group[0] ?? '', whyEnded(error, signal)))
    return begun
  })
  try {
    const winner = await firstOf(attempts)
    report(reportsOf(wanted, { rungs, tried, errors, open: rungOf(winner.remoteAddr.toString()) }))
    return winner
  } catch (error) {
    report(reportsOf(wanted, { rungs, tried, errors }))
    throw attempts.length === 0 ? new Error('no direct address is known') : error
  }
}

/** Those first that most can reach, and bridges of containers (172.16.0.0/12) last. Those of WebRTC take nobody's place. */
function fewEnough(addresses: readonly string[]): readonly string[] {
  const rank = (each: string): number => (isNear(each) ? (each.startsWith('/ip4/172.') ? 2 : 1) : 0)
  const isWebRtc = (each: string): boolean => rungOf(each) === 'webrtc'
  const others = addresses.filter((each) => !isWebRtc(each)).toSorted((a, b) => rank(a) - rank(b))
  return [others, addresses.filter(isWebRtc)].flatMap((each) => each.slice(0, MAX_ADDRESSES))
}

/**
 * Which addresses of somebody else are dialled. One of loopback leads to whatever runs on this very machine: only a device that
 * has no other address itself, and so nothing but this machine to talk to, goes there.
 * @param own addresses of this device
 */
export function meantFor(own: readonly string[]): (address: string) => boolean {
  const isAlone = own.every((each) => isRelayed(each) || isLoopback(each))
  return (address) => isAlone || !isLoopback(address)
}

/** Also the unspecified address, which leads to the same place on Linux and macOS. Not by a library, which pages would load. */
function isLoopback(address: string): boolean {
  return /^(\/ip6zone\/[^/]+)?\/(ip4\/(0|127)\.|ip6\/::1?\/|ip6\/::ffff:(7f[\da-f]{2}|[\da-f]{1,2}):|dns[46]?\/([^/]+\.)?localhost\/)/i.test(
    address,
  )
}

/** Each address alone, but those of WebRTC together: they differ in the relay that signals, and would get in each other's way. */
function groupsOf(addresses: readonly string[]): readonly (readonly string[])[] {
  const webrtc = addresses.filter((each) => rungOf(each) === 'webrtc')
  const others = addresses.filter((each) => rungOf(each) !== 'webrtc').map((each) => [each])
  return webrtc.length === 0 ? others : [...others, webrtc]
}

/** One after the other until one answers. */
async function dialInTurn(stack: Stack, [first, ...rest]: readonly string[], signal: AbortSignal): Promise<Connection> {
  const dial = stack.services.transports.transportManager.dial(multiaddr(first), { signal })
  if (rest.length === 0) return dial
  return dial.catch((error: unknown) => {
    if (signal.aborted) throw error
    return dialInTurn(stack, rest, signal)
  })
}

interface Tried {
  readonly rungs: readonly Rung[]
  readonly tried: readonly string[]
  readonly errors: ReadonlyMap<string, string>
  readonly open?: Rung
}

function dialled(rungs: readonly Rung[]): readonly Rung[] {
  return DIALLED.filter((each) => rungs.includes(each))
}

/** @param signal of all that was tried; once it has aborted it says more of why something ended than the error does */
export function whyEnded(error: unknown, signal: AbortSignal): string {
  if (signal.aborted && signal.reason === BEGUN_ANEW) return BEGUN_ANEW
  if (signal.aborted) return (signal.reason as Error).name === 'TimeoutError' ? 'nobody answered in time' : OVERTAKEN
  return error instanceof Error ? error.message : String(error)
}

function reportsOf(wanted: readonly string[], { rungs, tried, errors, open }: Tried): readonly RungReport[] {
  return dialled(rungs).map((rung): RungReport => {
    const known = wanted.filter((each) => rungOf(each) === rung)
    const mine = tried.filter((each) => rungOf(each) === rung)
    if (rung === open) return { rung, outcome: 'open', detail: '' }
    if (known.length === 0) return { rung, outcome: 'no-address', detail: 'no address of this kind is known of the other side' }
    if (mine.length === 0) return { rung, outcome: 'other-side', detail: 'the other side tries this one' }
    return { rung, outcome: 'failed', detail: `${mine.length} tried; ${errors.get(mine[0] ?? '') ?? OVERTAKEN}` }
  })
}
