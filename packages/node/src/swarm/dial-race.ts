/** Several dials to one device at once, of which the first that succeeds stays. */
import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { Clock, DeviceId } from '@skein/core'
import { deviceOf, isRelayedConnection, peerOf, transportOf } from './connections.ts'
import { RELAY_HEAD_START_MS, SETTLE_AFTER_MS, SHARED_DIAL_MS } from './constants.ts'
import { asError } from './framing.ts'
import type { RelayDescription } from './relay-description.ts'
import type { Stack, Transports } from './client-stack.ts'

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
  if (signal.aborted) cancel()
  else signal.addEventListener('abort', cancel, { once: true })
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

/** What of libp2p a dial needs: past its queue, which tries the addresses of a peer one after the other. */
export type DiallingStack = Pick<Stack, 'getConnections' | 'addEventListener' | 'removeEventListener'> & {
  readonly services: { readonly transports: Pick<Transports, 'transportManager'> }
}

interface RelayDial {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** The address that has answered before: it waits for no other. */
  readonly lately?: string | undefined
}

/** Dials that run; whoever wants the same relay meanwhile shares the connection. */
const running = new WeakMap<DiallingStack, Map<DeviceId, Promise<Connection>>>()

/**
 * A connection to a relay: one that stands, one that somebody else opens meanwhile, or the first of its addresses that answers.
 * Each is begun when the one before has failed or has had RELAY_HEAD_START_MS: a network may drop all but one of them in silence.
 * @throws AggregateError when none answers
 */
export async function dialRelay(stack: DiallingStack, relay: RelayDescription, how: RelayDial): Promise<Connection> {
  const standing = standingTo(stack, relay.device)
  if (standing !== undefined) return standing
  const dials = running.get(stack) ?? new Map<DeviceId, Promise<Connection>>()
  running.set(stack, dials)
  const shared = dials.get(relay.device)
  // The other dial knew other addresses, was given up, or hangs since a time when the relay was away.
  const found = (shared && (await inTime(shared, how))) ?? standingTo(stack, relay.device)
  if (found !== undefined) return found
  const dial = raceAddresses(stack, relay, how).finally(() => dials.get(relay.device) === dial && dials.delete(relay.device))
  dials.set(relay.device, dial)
  return dial
}

async function inTime(dial: Promise<Connection>, { clock, signal }: RelayDial): Promise<Connection | undefined> {
  const over = new AbortController()
  const late = clock.sleep(SHARED_DIAL_MS, { signal: AbortSignal.any([signal, over.signal]) }).then(() => undefined)
  return Promise.race([dial.catch(() => undefined), late]).finally(() => over.abort())
}

function standingTo(stack: DiallingStack, relay: DeviceId): Connection | undefined {
  return stack.getConnections(peerOf(relay)).find((each) => each.status === 'open' && !isRelayedConnection(each))
}

export interface Search {
  readonly clock: Clock
  readonly dial: Promise<Connection>
  readonly look: () => Connection | undefined
}

/**
 * What is found first: by `dial`, or by `look` when a connection to the device has opened. A dial that hangs in a network that drops
 * what it does not like keeps nobody from a connection that is there.
 */
export async function orOpened(stack: DiallingStack, device: DeviceId, { clock, dial, look }: Search): Promise<Connection> {
  const opened = Promise.withResolvers<Connection>()
  const over = new AbortController()
  const onOpen = async ({ detail }: CustomEvent<Connection>): Promise<void> => {
    if (deviceOf(detail.remotePeer) !== device) return
    // It is seen before the dial that has made it is done, and would die if that were taken for one that hangs.
    await clock.sleep(SETTLE_AFTER_MS, { signal: over.signal })
    const found = over.signal.aborted ? undefined : look()
    if (found !== undefined) opened.resolve(found)
  }
  stack.addEventListener('connection:open', onOpen)
  try {
    return await Promise.race([dial, opened.promise])
  } finally {
    over.abort()
    stack.removeEventListener('connection:open', onOpen)
  }
}

async function raceAddresses(stack: DiallingStack, relay: RelayDescription, { clock, signal, lately }: RelayDial): Promise<Connection> {
  const attempts: Attempt[] = []
  for (const [at, address] of dialable(stack, relay).entries()) {
    const before = attempts.at(-1)?.dial
    const begin = async (own: AbortSignal): Promise<Connection> => {
      const failed = new AbortController()
      before?.catch(() => failed.abort())
      if (at > 0 && address !== lately) await clock.sleep(RELAY_HEAD_START_MS * at, { signal: AbortSignal.any([own, failed.signal]) })
      own.throwIfAborted()
      return stack.services.transports.transportManager.dial(multiaddr(address), { signal: own })
    }
    attempts.push(attempt(begin, signal))
  }
  const look = (): Connection | undefined => standingTo(stack, relay.device)
  const winner = await orOpened(stack, relay.device, { clock, dial: firstOf(attempts), look })
  for (const { settled, cancel } of attempts) if (!settled()) cancel()
  for (const { dial } of attempts) void dial.then((each) => (each === winner ? undefined : end(each))).catch(() => undefined)
  return winner
}

/** What this platform can dial, in the order of RELAY_TRANSPORTS. */
function dialable({ services }: DiallingStack, { addresses }: RelayDescription): readonly string[] {
  const { transportManager } = services.transports
  const rank = (address: string): number => (RELAY_TRANSPORTS.indexOf(transportOf(address)) + 9) % 9
  return addresses
    .filter((each) => transportManager.dialTransportForMultiaddr(multiaddr(each)) !== undefined)
    .toSorted((a, b) => rank(a) - rank(b))
}

function end(connection: Connection): Promise<void> {
  return connection.close().catch((error: unknown) => connection.abort(asError(error)))
}
