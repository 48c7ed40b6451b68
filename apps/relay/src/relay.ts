/** The relay as a whole: starts its parts in order, and frees all of them again. */
import { lookup } from 'node:dns/promises'
import { isIP, isIPv6 } from 'node:net'
import { fileURLToPath } from 'node:url'
import { isSkeinError, type Logger } from '@skein/core'
import { type Caller, createRelayStack, type RelayRules, type RelayStack } from '@skein/node/swarm'
import { originOf } from './admission/networks.ts'
import { clearBackups } from './backup.ts'
import { keepMeeting } from './bootstrap.ts'
import { type CardDrop, MAX_CARD_REQUEST_BYTES, SqliteCardDrop } from './card-drop.ts'
import { describedHost, hostPort, memberUrl, publicHost, type RelayConfig, withHttps } from './config.ts'
import type { RunningRelay } from './control/actions.ts'
import { serveControl } from './control/socket.ts'
import { type Drained, drain, farewell } from './drain.ts'
import { type HttpServer, type RelayDescription, startHttp } from './http.ts'
import { openSecureFront, type SecureFront } from './https/index.ts'
import { loadOrCreateSeed } from './identity.ts'
import { type Mailbox, openMailbox } from './mailbox/open-mailbox.ts'
import { PostgresMailboxStore } from './mailbox/postgres-mailbox-store.ts'
import { SqliteMailboxStore } from './mailbox/sqlite-mailbox-store.ts'
import { Operator, type StackFigures } from './operator.ts'
import { probePort } from './port-in-use.ts'
import { type Reflector, startReflector } from './reflector.ts'
import { openRelayStore, type RelayStore } from './relay-store.ts'
import { SWEEP_MS, sweepEvery } from './sweeping.ts'
import { whySlow } from './status-page.ts'
import { startStun, type StunServer } from './stun.ts'
import { udpDrops } from './traffic/udp-drops.ts'
import { programVersion } from './version.ts'
import { findWebClient } from './web-client.ts'

/** Where the web client is: beside the bundle in a package, with the other apps in a checkout. */
const WEB_CLIENT = ['../web', '../../web/out'].map((folder) => fileURLToPath(new URL(folder, import.meta.url)))

/** Between two looks whether a database elsewhere answers, ms. */
const MAIL_LOOK_MS = 15_000

export interface Relay extends AsyncDisposable {
  readonly peerId: string
  /** `undefined` when HTTP is off. */
  readonly httpPort: number | undefined
  /** What members enter, if it is known. */
  readonly url: string | undefined
  addresses(): readonly string[]
  /** Reads the settings again. @throws SkeinError CONFIG_INVALID; then nothing has changed */
  reload(): void
  /** Tells everybody that it ends at once; a second at most. */
  farewell(): Promise<void>
  /** Resolves when somebody has had the relay emptied; it is to be stopped then. */
  readonly drained: Promise<Drained>
}

interface Parts {
  /** With what has become known of its ports. */
  config: RelayConfig
  httpPort?: number | undefined
  front?: SecureFront | undefined
  operator?: Operator
  stack?: RelayStack
  cards?: CardDrop
  mailbox?: Mailbox
  stun?: StunServer
  reflector?: Reflector | null
  stopping: boolean
}

/** @throws SkeinError CONFIG_INVALID, PORT_IN_USE, STORE_LOCKED, STORE_CORRUPT, DATA_DIR_READ_ONLY; nothing is left running then */
export async function startRelay(config: RelayConfig, logger: Logger): Promise<Relay> {
  const parts: Parts = { config, stopping: false }
  await using starting = new AsyncDisposableStack()
  const store = starting.use(openRelayStore(config.dataDir))
  clearBackups(config.dataDir)
  const operator = starting.use(
    new Operator({ dataDir: config.dataDir, store, logger, figures: figuresOf(parts), behindProxy: config.frontUrl !== undefined }),
  )
  parts.operator = operator
  // HTTP first, so that /healthz and /readyz answer while the rest comes up.
  const http = starting.use(await openHttp(config, parts, operator))
  parts.httpPort = http.port
  parts.front =
    config.https === 'off' ? undefined : starting.use(await openHttps(config, config.https, { parts, http, store, operator, logger }))
  parts.config = withHttps(config, parts.front?.port)
  const address = await publicAddress(config)
  const seed = loadOrCreateSeed(config.dataDir)
  const onUnreadable = (): void => operator.refusals.count('stun', 'malformed')
  parts.stun = starting.use(await startStun({ ...config, publicAddress: address, secret: seed, onUnreadable }))
  parts.reflector = config.reflector === 'off' ? null : starting.use(await openReflector(config.host, config.reflector, operator))
  const stack = await openStack(parts.config, { seed, store, address, rules: operator.rules, logger: logger.child('swarm') })
  parts.stack = stack
  starting.defer(() => stack.stop())
  parts.cards = await openCards(stack, store, { operator, owner: starting, logger })
  parts.mailbox = starting.use(await openMail(stack, store, { config, operator, logger }))
  if (config.mailDatabase !== undefined) starting.use(sweepEvery(MAIL_LOOK_MS, [() => void parts.mailbox?.totals()], logger))
  const drained = Promise.withResolvers<Drained>()
  await operator.attach(stack)
  starting.use(await openControl({ config: parts.config, parts, store, stack, operator, logger, onDrained: drained.resolve }))
  meetOthers(stack, { config, parts, logger }, starting)
  starting.defer(() => operator.refusals.stop())
  const running = starting.move()
  return {
    peerId: stack.peerId,
    httpPort: http.port,
    url: memberUrl(parts.config, http.port),
    addresses: () => stack.addresses(),
    reload: () => void operator.reload(),
    farewell: () => farewell(stack, operator.rules),
    drained: drained.promise,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

interface StackNeeds {
  /** Of the relay's identity. */
  readonly seed: Uint8Array
  readonly store: RelayStore
  readonly address: string | undefined
  readonly rules: RelayRules
  readonly logger: Logger
}

async function openStack(config: RelayConfig, { seed, store, address, rules, logger }: StackNeeds): Promise<RelayStack> {
  await probePort('tcp', config.host, config.tcp)
  await probePort('tcp', config.host, config.ws)
  await probePort('udp', config.host, config.webrtc)
  const quic = await quicPort(config, logger)
  return createRelayStack({
    privateKeySeed: seed,
    listen: { host: config.host, tcp: config.tcp, ws: config.ws, webrtc: config.webrtc, quic },
    announceHost: config.announceHost,
    front: frontOf(config),
    announceAddress: config.announceHost === undefined ? undefined : address,
    durable: store.entries,
    rules,
    logger,
  })
}

/** Nobody needs QUIC: at its usual port it gives way to whoever has that already. @throws SkeinError PORT_IN_USE for one that was asked for */
async function quicPort({ host, quic, quicIsWanted }: RelayConfig, logger: Logger): Promise<RelayConfig['quic']> {
  try {
    await probePort('udp', host, quic)
    return quic
  } catch (error) {
    if (quicIsWanted || !isSkeinError(error, 'PORT_IN_USE')) throw error
    logger.warn('quic-port-in-use', {
      port: quic,
      meaning: 'another program has the usual port of QUIC; nothing listens there for this relay',
    })
    return 'off'
  }
}

async function openCards(
  stack: RelayStack,
  store: RelayStore,
  { operator, owner, logger }: { readonly operator: Operator; readonly owner: AsyncDisposableStack; readonly logger: Logger },
): Promise<CardDrop> {
  const bounds = () => {
    const { cardsPerAddress: address, cardsPerNetwork: network } = operator.settings().limits
    return { address, network }
  }
  const cards = new SqliteCardDrop(store.database, { now: Date.now, bounds })
  const past = (): number => operator.time.past()
  owner.use(sweepEvery(SWEEP_MS, [() => cards.sweep(past()), () => operator.membership.sweep(past())], logger))
  const answer = (from: Caller, frame: Uint8Array): Uint8Array => {
    if (!operator.rules.mayAsk('cards', from)) throw new Error('too many requests')
    const { peer, address } = from
    const depositor = { peer, origin: originOf(address), mayLeave: operator.rules.isAdmitted(peer) }
    return operator.disk.watch('cards', () => cards.answer(depositor, frame))
  }
  await stack.serve('/skein/card/1', answer, { service: 'cards', maxRequestBytes: MAX_CARD_REQUEST_BYTES })
  return cards
}

function openReflector(host: string, port: number, operator: Operator): Promise<Reflector> {
  return startReflector({
    host,
    port,
    bounds: () => {
      const { limits } = operator.settings()
      const { reflectorConnections: total, reflectorConnectionsPerAddress: address, reflectorConnectionsPerNetwork: network } = limits
      return { address, network, total }
    },
    onRefused: (reason) => operator.refusals.count('reflector', reason),
  })
}

async function openMail(
  stack: RelayStack,
  { database }: RelayStore,
  { config, operator, logger }: { readonly config: RelayConfig; readonly operator: Operator; readonly logger: Logger },
): Promise<Mailbox> {
  const seed = loadOrCreateSeed(config.dataDir)
  const shared = config.mailDatabase === undefined ? undefined : await PostgresMailboxStore.open(config.mailDatabase)
  const store = shared ?? new SqliteMailboxStore(database)
  return openMailbox(stack, {
    store,
    seed,
    logger: logger.child('mailbox'),
    close: () => shared?.close(),
    limits: () => operator.settings().limits,
    onRefused: (service) => operator.refusals.count(service, 'limit'),
    onOffence: (what) => operator.refusals.count('mail', what),
    onTrouble: (error) => operator.disk.note('mail', error),
    pace: (origin, bytes) => operator.rules.onMail(origin, bytes),
    past: () => operator.time.past(),
  })
}

function frontOf({ frontUrl }: RelayConfig): { host: string; port: number } | undefined {
  if (frontUrl === undefined) return undefined
  const { hostname, port } = new URL(frontUrl)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 443) }
}

interface ControlNeeds {
  readonly config: RelayConfig
  readonly parts: Parts
  readonly store: RelayStore
  readonly stack: RelayStack
  readonly operator: Operator
  readonly logger: Logger
  readonly onDrained: (drained: Drained) => void
}

function openControl({ config, parts, store, stack, operator, logger, onDrained }: ControlNeeds): Promise<AsyncDisposable> {
  const running: RunningRelay = {
    status: () => {
      const status = operator.status()
      return { ...status, heaviest: operator.heaviest(), why_slow: whySlow(status), ...summary(parts, config) }
    },
    settings: () => operator.settings(),
    reload: () => operator.reload(),
    disconnect: (peer) => stack.disconnect(peer),
    release: async (peer) => {
      if (!operator.rules.isAdmitted(peer)) await stack.disconnect(peer)
    },
    drain: async () => {
      const done = await drain(stack, operator.rules, logger)
      // After the answer is on its way: the process ends by it.
      setImmediate(() => onDrained(done))
      return { ...done }
    },
  }
  return serveControl({ dataDir: config.dataDir, store, membership: operator.membership, running, logger })
}

function meetOthers(
  stack: RelayStack,
  { config, parts, logger }: { readonly config: RelayConfig; readonly parts: Parts; readonly logger: Logger },
  owner: AsyncDisposableStack,
): void {
  const meeting = new AbortController()
  keepMeeting(stack, { urls: config.bootstrap, logger, signal: meeting.signal })
  owner.defer(() => {
    parts.stopping = true
    meeting.abort()
  })
}

/** Asked for when somebody looks; before a part has started there is nothing of it. */
function figuresOf(parts: Parts): StackFigures {
  const counts = () => parts.stack?.counts()
  return {
    status: () => (waitingFor(parts).length === 0 ? 1 : 0),
    connections: () => counts()?.connections ?? 0,
    peers: () => counts()?.peers ?? 0,
    places: () => counts()?.places ?? {},
    udpDrops: () => udpDrops({ stun: parts.stun?.ports ?? [], addresses: parts.stack?.addresses() ?? [] }),
    reservations: () => counts()?.reservations ?? 0,
    circuits: () => counts()?.circuits ?? 0,
    oldestHold: () => (counts()?.oldestHoldMs ?? 0) / 1_000,
    dhtPeers: () => counts()?.dhtPeers ?? 0,
    dhtRecords: () => counts()?.dhtRecords ?? 0,
    mailStreams: () => parts.mailbox?.use().streams ?? 0,
    mailTags: () => parts.mailbox?.use().tags ?? 0,
    mailKept: async () => (await parts.mailbox?.totals()) ?? { envelopes: 0, bytes: 0 },
    mailHeldBytes: () => parts.mailbox?.use().bytes ?? 0,
    gossipMessages: () => counts()?.gossipMessages ?? 0,
    cards: () => parts.cards?.count() ?? 0,
    stunRequests: () => parts.stun?.requests() ?? 0,
    certificateExpires: () => Math.round((parts.front?.certificateEndsAt ?? 0) / 1_000),
    stunRefused: () => parts.stun?.refused() ?? 0,
  }
}

interface HttpsNeeds {
  readonly operator: Operator
  readonly parts: Parts
  readonly http: HttpServer
  readonly store: RelayStore
  readonly logger: Logger
}

function openHttps(config: RelayConfig, port: number, { parts, http, store, operator, logger }: HttpsNeeds): Promise<SecureFront> {
  return openSecureFront({
    ...config,
    port,
    name: config.announceHost ?? '',
    entries: store.entries,
    logger: logger.child('https'),
    mayEnter: (socket) => operator.http.mayShakeHands(socket),
    onRequest: (request, response) => http.onRequest(request, response),
    onBroken: (why) => operator.http.onBroken(why),
    onUpgrade: (request, socket, head) =>
      parts.stack === undefined ? void socket.destroy() : parts.stack.takeUpgrade(request, socket, head),
  })
}

function openHttp(config: RelayConfig, parts: Parts, { http: gate }: Operator) {
  const sources = {
    waiting: () => waitingFor(parts),
    describe: (localHost: string) => describe(parts, describedHost(config) ?? localHost),
    metrics: async () => (await parts.operator?.metrics.text()) ?? '',
    status: () => parts.operator?.shownStatus(),
    memberUrl: () => statusUrl(parts),
    onRequest: (code: number) => parts.operator?.metrics.onHttp(code),
  }
  return startHttp(sources, { host: config.host, port: config.http, web: findWebClient(config.web, WEB_CLIENT), gate })
}

/** Of a relay that was told its name. Else it is the one under which somebody asks: a server in front may know more. */
function statusUrl({ config, httpPort }: Parts): string | undefined {
  const isTold = config.frontUrl !== undefined || config.announceHost !== undefined
  return isTold ? memberUrl(config, httpPort) : undefined
}

/** What is not ready yet, or why nobody new is taken. */
function waitingFor(parts: Parts): string[] {
  if (parts.stopping) return ['stopping']
  const names = ['stun', 'reflector', 'stack', 'cards', 'mailbox'] as const
  const missing = names.filter((name) => parts[name] === undefined || (name === 'mailbox' && parts.mailbox?.isAway() === true))
  if (parts.operator?.rules.draining === true) return ['draining']
  const troubles = {
    certificate: parts.front?.hasCertificate === false,
    disk: parts.operator?.disk.isRecent === true,
    budget: parts.operator?.rules.budget === 'stopped',
  }
  return [...missing, ...Object.entries(troubles).flatMap(([name, isThere]) => (isThere ? [name] : []))]
}

function summary(parts: Parts, config: RelayConfig) {
  const waiting = waitingFor(parts)
  const { stack } = parts
  const where = { peer_id: stack?.peerId, addresses: stack?.addresses() ?? [], data_dir: config.dataDir }
  return { ready: waiting.length === 0, waiting, version: programVersion(), ...where }
}

function describe({ stack, stun, reflector }: Parts, host: string): RelayDescription | undefined {
  if (stack === undefined) return undefined
  return {
    version: 1,
    peer_id: stack.peerId,
    addresses: stack.addresses(),
    stun: (stun?.ports ?? []).map((each) => `stun:${hostPort(host, each)}`),
    reflector: reflector == null ? null : hostPort(host, reflector.port),
  }
}

/** IP address under which this relay is reached, if one is known; for protocols that carry no names. */
async function publicAddress(config: RelayConfig): Promise<string | undefined> {
  const host = publicHost(config)
  if (host === undefined || isIP(host) !== 0) return host
  for (const family of config.host === '::' ? [4, 6] : [isIPv6(config.host) ? 6 : 4]) {
    const found = await lookup(host, { family }).catch(() => undefined)
    if (found !== undefined) return found.address
  }
  return undefined
}
