/**
 * The session cipher of the main path: sessions of the store, held decoded in memory, moved on by pure steps. What a
 * step makes is handed out as writes for the caller's commit; the store refuses a state that does not follow the one
 * it has, so a commit that failed never leaves a hole.
 */
import { isSkeinError, SkeinError } from '../errors/index.ts'
import type { DeviceId } from '../ids.ts'
import type { Clock } from '../ports/clock.ts'
import type { Compression } from '../ports/compression.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import type { Store, StoredOneTimePrekey, StoreWrite } from '../ports/store.ts'
import { sameBytes } from '../wire/codec.ts'
import type { OneTimePrekey } from '../wire/handover.ts'
import type { FirstFlightFields, PrekeyBundleFields } from '../wire/sealed.ts'
import { rootDerivation, type RootDerivation } from './key-derivation.ts'
import { packPayload, unpackPayload } from './payload.ts'
import type { PrekeyKeeper } from './prekey-keeper.ts'
import { KEEP_AFTER_SUCCESSOR_MS, ROTATE_AFTER_MS } from './prekeys.ts'
import { RejectionBudget } from './rejection-budget.ts'
import {
  answered,
  type EndIdentity,
  NO_SESSIONS,
  openIn,
  type OwnPrekeys,
  type PairContext,
  pairIdentities,
  type PairIdentities,
  type ParsedMessage,
  parseMessage,
  retireAll,
  sealIn,
  sendingSession,
  type Session,
  sessionOf,
  type Sessions,
  startSession,
} from './session.ts'
import type { OpenedContent, PairCipher, SealedContent, SessionCipher } from './session-cipher.ts'
import { decodeSessions, encodeSessions } from './session-record.ts'

/** Pairs whose sessions stay decoded: about 1 KB each, up to 100 KB with every skipped key. */
const MAX_CACHED = 256
/** A first flight can be replayed while its prekey lives (EB8). */
const REMEMBER_FLIGHT_MS = KEEP_AFTER_SUCCESSOR_MS + ROTATE_AFTER_MS
/** Between two requests to start anew, per device (ES7). */
export const RESET_EVERY_MS = 600_000

/** What is known of the device at the other end. */
export interface RemoteDevice extends EndIdentity {
  /** Opens the newest bundle of the device; `undefined` when none is known. @throws SkeinError when it does not verify */
  bundle(): PrekeyBundleFields | undefined
  /** The one-time prekey that the device has handed to us: gone with this call, for good once `write` is committed. */
  takeOneTime(): { readonly oneTime: OneTimePrekey; readonly write: StoreWrite } | undefined
}

export interface RatchetCipherDeps {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly primitives: Primitives
  readonly compression: Compression
  readonly own: PairContext['own']
  readonly prekeys: PrekeyKeeper
  /** `undefined` for a device of nobody we know. */
  remote(device: DeviceId): RemoteDevice | undefined
}

/** State of a pair in memory: ahead of the store by the commits that are under way. */
interface Cell {
  current: { readonly version: number; readonly sessions: Sessions }
  /** Digests for the keys of `remote`, until it shows other ones. */
  known?: { readonly remote: EndIdentity; readonly identities: PairIdentities }
}

interface Arrival {
  readonly message: ParsedMessage
  /** Its first flight has been here before. */
  readonly replayed: boolean
  /** Our one-time prekey that it was made with. */
  readonly oneTime: StoredOneTimePrekey | undefined
}

interface Incoming {
  readonly device: DeviceId
  readonly cell: Cell
  readonly incoming: Uint8Array
  readonly payer: string
}

interface Pair {
  readonly device: DeviceId
  readonly cell: Cell
  readonly remote: RemoteDevice
  readonly context: () => PairContext
  /** Whose budget is spent by what does not open. */
  readonly payer: string
}

export class RatchetCipher implements SessionCipher {
  private readonly deps: RatchetCipherDeps
  private readonly deriveRoot: RootDerivation
  private readonly budget: RejectionBudget
  private readonly cells = new Map<DeviceId, Promise<Cell>>()

  constructor(deps: RatchetCipherDeps) {
    this.deps = deps
    this.deriveRoot = rootDerivation(deps.primitives)
    this.budget = new RejectionBudget(deps.clock)
  }

  async pair(device: DeviceId, incoming?: Uint8Array, payer: string = device): Promise<PairCipher> {
    const remote = this.deps.remote(device)
    if (remote === undefined) throw new SkeinError('UNKNOWN_SENDER', 'A device of nobody we know.')
    const cell = await this.cell(device)
    const arrival = incoming === undefined ? undefined : await this.arrival({ device, cell, incoming, payer })
    const identities = this.identities(cell, remote)
    const context = (): PairContext => ({ ...this.deps, remote, identities, deriveRoot: this.deriveRoot, now: this.deps.clock.now() })
    const sealing = { device, cell, remote, context, payer }
    return {
      seal: (content) => this.seal(sealing, { content, sessions: cell.current.sessions }),
      open: () => this.open(sealing, arrival),
      restart: (content, everyMs = RESET_EVERY_MS) => this.restart(sealing, content, everyMs),
      confirm: (sealed) => confirmIn(cell, device, sealed),
    }
  }

  async knows(device: DeviceId, message: Uint8Array): Promise<boolean> {
    const parsed = parseMessage(message)
    return sessionOf((await this.cell(device)).current.sessions, parsed) !== undefined
  }

  async isOver(device: DeviceId, message: Uint8Array): Promise<boolean> {
    const { sessions } = (await this.cell(device)).current
    return sessionOf(sessions, parseMessage(message))?.retired === true && sessions.list.some(isInUse)
  }

  forget(device: DeviceId): void {
    this.cells.delete(device)
  }

  private identities(cell: Cell, { accountKey, deviceKey, dhKey }: EndIdentity): PairIdentities {
    const remote = { accountKey, deviceKey, dhKey }
    if (cell.known === undefined || !isSameEnd(cell.known.remote, remote)) {
      cell.known = { remote, identities: pairIdentities(this.deps.primitives, this.deps.own, remote) }
    }
    return cell.known.identities
  }

  private async arrival({ device, cell, incoming, payer }: Incoming): Promise<Arrival> {
    if (!this.budget.allows(payer)) throw new SkeinError('BUDGET_SPENT', 'A device sends too much that does not open.')
    try {
      const message = parseMessage(incoming)
      const { first } = message.parsed
      // Only a flight that would make a session can be a replay; the store is not asked while one is answered again and again.
      const beginning = first !== undefined && sessionOf(cell.current.sessions, message) === undefined
      if (!beginning) return { message, replayed: false, oneTime: undefined }
      const replayed = await this.deps.store.hasDigest(this.flightDigest(first.ephemeralKey))
      const handed = first.oneTimeId === 0 ? [] : await this.deps.store.oneTimePrekeys(device)
      return { message, replayed, oneTime: handed.find(({ id }) => id === first.oneTimeId) }
    } catch (error) {
      this.budget.spend(payer)
      throw error
    }
  }

  private seal({ device, cell, remote, context }: Pair, { content, sessions }: { content: Uint8Array; sessions: Sessions }): SealedContent {
    const pair = context()
    const begun = sendingSession(sessions) === undefined ? begin(pair, sessions, remote) : { sessions, writes: [] }
    const session = sendingSession(begun.sessions)
    if (session === undefined) throw new SkeinError('SESSION_UNKNOWN', 'A session could not be started.')
    const sealed = sealIn(pair, begun.sessions, { session, plaintext: packPayload(this.deps.compression, content) })
    return { sealed: sealed.message, writes: [moveOn(cell, device, sealed.sessions), ...begun.writes] }
  }

  private restart(pair: Pair, content: Uint8Array, everyMs: number): SealedContent | undefined {
    const { sessions } = pair.cell.current
    const now = this.deps.clock.now()
    if (now - sessions.resetSentAt < everyMs) return undefined
    return this.seal(pair, { content, sessions: { ...retireAll(sessions), resetSentAt: now } })
  }

  private open(pair: Pair, arrival: Arrival | undefined): OpenedContent {
    if (arrival === undefined) throw new SkeinError('BAD_FRAME', 'There is nothing to open.')
    try {
      return this.tryOpen(pair, arrival)
    } catch (error) {
      // A repeated message costs next to nothing, and an honest sender repeats what it got no answer to.
      if (!isSkeinError(error, 'KEY_USED')) this.budget.spend(pair.payer)
      throw error
    }
  }

  private tryOpen({ device, cell, context }: Pair, { message, replayed, oneTime }: Arrival): OpenedContent {
    const prekeys = ({ prekeyId, oneTimeId }: FirstFlightFields): OwnPrekeys => {
      if (replayed) throw new SkeinError('REPLAYED', 'A first message has been here before.')
      if (oneTimeId !== (oneTime?.id ?? 0)) throw new SkeinError('PREKEY_UNKNOWN', 'A first message uses a one-time prekey that is gone.')
      return { ...this.deps.prekeys.find(prekeyId), oneTimeSecret: oneTime?.secret }
    }
    const { sessions, plaintext, flight } = openIn(context(), cell.current.sessions, { message, prekeys })
    const content = unpackPayload(this.deps.compression, plaintext)
    const begun = flight === undefined ? [] : [this.rememberFlight(flight), ...used(oneTime)]
    return { content, writes: [moveOn(cell, device, sessions), ...begun] }
  }

  private cell(device: DeviceId): Promise<Cell> {
    const cell = this.cells.get(device) ?? this.load(device)
    // To the end of the map: the first entry is the one that was used longest ago.
    this.cells.delete(device)
    this.cells.set(device, cell)
    cell.catch(() => this.cells.delete(device))
    const [oldest] = this.cells.keys()
    if (this.cells.size > MAX_CACHED && oldest !== undefined) this.cells.delete(oldest)
    return cell
  }

  private async load(device: DeviceId): Promise<Cell> {
    const stored = await this.deps.store.session(device)
    if (stored === null) return { current: { version: 0, sessions: NO_SESSIONS } }
    return { current: { version: stored.version, sessions: decodeSessions(stored.state) } }
  }

  private flightDigest(ephemeralKey: Uint8Array): Uint8Array {
    return this.deps.primitives.sha256(ephemeralKey)
  }

  private rememberFlight(ephemeralKey: Uint8Array): StoreWrite {
    return { kind: 'digest.put', digest: this.flightDigest(ephemeralKey), expiresAt: this.deps.clock.now() + REMEMBER_FLIGHT_MS }
  }
}

const isInUse = ({ retired, first }: Session): boolean => !retired && first === undefined

function isSameEnd(a: EndIdentity, b: EndIdentity): boolean {
  return sameBytes(a.accountKey, b.accountKey) && sameBytes(a.deviceKey, b.deviceKey) && sameBytes(a.dhKey, b.dhKey)
}

function confirmIn(cell: Cell, device: DeviceId, sealed: Uint8Array): readonly StoreWrite[] {
  const { sessions } = cell.current
  const message = parseMessage(sealed)
  const waiting = message.parsed.first === undefined ? undefined : sessionOf(sessions, message)
  return waiting?.first === undefined ? [] : [moveOn(cell, device, answered(sessions, waiting))]
}

function moveOn(cell: Cell, device: DeviceId, sessions: Sessions): StoreWrite {
  cell.current = { version: cell.current.version + 1, sessions }
  return { kind: 'session.put', session: { device, version: cell.current.version, state: encodeSessions(sessions) } }
}

function begin(
  pair: PairContext,
  before: Sessions,
  remote: RemoteDevice,
): { readonly sessions: Sessions; readonly writes: readonly StoreWrite[] } {
  const bundle = requireBundle(remote)
  const taken = remote.takeOneTime()
  const sessions = startSession(pair, before, { bundle, oneTime: taken?.oneTime })
  return { sessions, writes: taken === undefined ? [] : [taken.write] }
}

/** Gone with the commit that makes its session durable (EB10): from then on nobody can make that session's secret again. */
function used(oneTime: StoredOneTimePrekey | undefined): readonly StoreWrite[] {
  return oneTime === undefined ? [] : [{ kind: 'one-time.remove', id: oneTime.id }]
}

function requireBundle(remote: RemoteDevice): PrekeyBundleFields {
  const bundle = remote.bundle()
  if (bundle === undefined) throw new SkeinError('NO_BUNDLE', 'Nothing is known yet to encrypt to this device with.')
  return bundle
}
