/** Several dials to one device at once, of which the first that succeeds stays. */
import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { Clock, DeviceId } from '@skein/core'
import { isRelayedConnection, peerOf, transportOf } from './connections.ts'
import { RELAY_HEAD_START_MS } from './constants.ts'
import { asError } from './framing.ts'
import type { RelayDescription } from './relay-description.ts'
import type { Stack } from './client-stack.ts'

export interface Attempt {
  readonly dial: Promise<Connection>
  settled(): boolean
  /** Gives it up; a connection that has come of it ends. */
  cancel(): void
}

/** With a signal of its own that is left alone once it has succeeded: aborting it later would end the connection. */
export function attempt(begin: (signal: AbortSignal) => Promise<Connection>, signal: AbortSignal): Attempt {
  const own = new AbortController()
  const cancel = (): void => own.abort()
  let settled = false
  signal.addEventListener('abort', cancel, { once: true })
  const dial = begin(own.signal).finally(() => {
    settled = true
    signal.removeEventListener('abort', cancel)
  })
  return { dial, settled: () => settled, cancel }
}

/** The first connection; it ends the other attempts. @throws AggregateError when all fail */
export async function firstOf(attempts: readonly Attempt[]): Promise<Connection> {
  const winner = await Promise.any(attempts.map(({ dial }) => dial))
  for (const { dial, cancel } of attempts) void dial.then((each) => each === winner || cancel()).catch(() => undefined)
  for (const { settled, cancel } of attempts) if (!settled()) cancel()
  return winner
}

/** Cheap and fast before what gets through more networks. */
const RELAY_TRANSPORTS = ['tcp', 'ws', 'wss', 'webrtc-direct']

interface RelayDial {
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Dials that run; whoever wants the same relay meanwhile shares the connection. */
const running = new WeakMap<Stack, Map<DeviceId, Promise<Connection>>>()

/**
 * A connection to a relay: one that stands, or the first of its addresses that answers. Each is begun when the one before
 * has failed or has had RELAY_HEAD_START_MS: a network may drop all but one of them in silence.
 * @throws AggregateError when none answers
 */
export async function dialRelay(stack: Stack, relay: RelayDescription, { clock, signal }: RelayDial): Promise<Connection> {
  const standing = stack.getConnections(peerOf(relay.device)).find((each) => each.status === 'open' && !isRelayedConnection(each))
  if (standing !== undefined) return standing
  const dials = running.get(stack) ?? new Map<DeviceId, Promise<Connection>>()
  running.set(stack, dials)
  const shared = dials.get(relay.device)
  // The other dial knew other addresses, or was given up.
  const connection = await shared?.catch(() => undefined)
  if (connection !== undefined) return connection
  const dial = raceAddresses(stack, relay, { clock, signal }).finally(() => dials.delete(relay.device))
  dials.set(relay.device, dial)
  return dial
}

async function raceAddresses(stack: Stack, relay: RelayDescription, { clock, signal }: RelayDial): Promise<Connection> {
  const attempts: Attempt[] = []
  for (const [at, address] of dialable(stack, relay).entries()) {
    const before = attempts.at(-1)?.dial
    const begin = async (own: AbortSignal): Promise<Connection> => {
      const failed = new AbortController()
      before?.catch(() => failed.abort())
      if (at > 0) await clock.sleep(RELAY_HEAD_START_MS * at, { signal: AbortSignal.any([own, failed.signal]) })
      own.throwIfAborted()
      return stack.services.transports.transportManager.dial(multiaddr(address), { signal: own })
    }
    attempts.push(attempt(begin, signal))
  }
  const winner = await firstOf(attempts)
  for (const { dial } of attempts) void dial.then((each) => (each === winner ? undefined : end(each))).catch(() => undefined)
  return winner
}

/** What this platform can dial, in the order of RELAY_TRANSPORTS. */
function dialable({ services }: Stack, { addresses }: RelayDescription): readonly string[] {
  const { transportManager } = services.transports
  const rank = (address: string): number => (RELAY_TRANSPORTS.indexOf(transportOf(address)) + 9) % 9
  return addresses
    .filter((each) => transportManager.dialTransportForMultiaddr(multiaddr(each)) !== undefined)
    .toSorted((a, b) => rank(a) - rank(b))
}

function end(connection: Connection): Promise<void> {
  return connection.close().catch((error: unknown) => connection.abort(asError(error)))
}
