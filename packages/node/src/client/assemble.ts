/** Core's messenger on a store and a network: what a client is on every platform. */
import {
  type BlindTokens,
  type MeshFactory,
  type Clock,
  type Compression,
  type DeviceId,
  type FilesFactory,
  isNewerRecord,
  loadIdentity,
  type Logger,
  Messenger,
  type Primitives,
  type Random,
  type Store,
  type Swarm,
  verifyRecord,
} from '@skein/core'
import type { Libp2pSwarm, SwarmOptions } from '../swarm/libp2p-swarm.ts'
import type { NatView } from './api/contract.ts'
import type { MappingState } from '../nat/mapping/index.ts'
import type { ReceivedPart } from '../files/read-part.ts'
import type { Uploads } from '../files/uploads.ts'
import type { OwnPage } from './page/index.ts'
import { type Config, splitRelay } from './config-schema.ts'

/** What a user changes while the client runs. */
export type ConfigChange = Partial<Pick<Config, 'name' | 'relays' | 'visibility' | 'readReceipts' | 'expireMs' | 'filesFolder'>>

export interface Client {
  readonly messenger: Messenger
  readonly swarm: Swarm & Pick<Libp2pSwarm, 'rungs' | 'hurry' | 'clockAheadMs'>
  readonly clock: Clock
  readonly primitives: Primitives
  readonly config: Config
  /** Strangers on the local network who show themselves to everybody. */
  readonly nearby?: () => readonly DeviceId[]
  /** What came from the local network and was not looked at, by the reason. */
  readonly refused?: () => Readonly<Record<string, number>>
  /** What is known of the network around; a browser cannot tell. */
  readonly network?: NetworkKnowledge
  /** 0 in a browser. */
  readonly pid: number
  /** Every setting with its value and where that came from. */
  describeConfig(): Record<string, { value: unknown; origin: string }>
  /** Keeps changed settings. @returns whether they count at once; if not, from the next start @throws SkeinError CONFIG_INVALID */
  configure(change: ConfigChange): Promise<boolean>
  /** A backup file as it is made; see packages/node/src/backup. */
  backup(passphrase: string | null): Promise<ReadableStream<Uint8Array>>
  /** The web client as this one serves it to the local network; a browser serves none. */
  readonly page?: Pick<OwnPage, 'isPossible' | 'urls'>
  /** Takes files that a page hands over; a browser reads them itself. */
  readonly uploads?: Uploads
  /** Reads what was received, for a page; a browser reads it itself. */
  readPart?(part: ReceivedPart): Promise<Uint8Array>
  /** Asks the owner of the process to stop it. */
  requestStop(): void
  /** The client is to be started anew: it has become another device. */
  restart(): void
}

export interface NetworkKnowledge {
  /** As the last probe found it. */
  nat(): NatView
  /** Whether a router has opened a port for this machine. */
  mapping(): MappingState
  /** Finds it out anew. */
  probe(): Promise<NatView>
  /** Who answers under the URL of a relay. */
  askRelay(url: string): Promise<'relay' | 'other' | 'silent'>
}

export interface ClientParts {
  readonly store: Store
  readonly config: Config
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
  readonly primitives: Primitives
  readonly compression: Compression
  readonly mesh?: MeshFactory
  readonly files?: (swarm: Libp2pSwarm) => FilesFactory
  /** Instead of `files`: loaded when they are needed. */
  readonly lateFiles?: (swarm: Libp2pSwarm) => Promise<FilesFactory>
  /** Time for a newcomer's first conversation before what only mail needs is loaded, ms. */
  readonly restAfterMs?: number
  /** What this device is called among the account's own. */
  readonly deviceName: string
  createSwarm(options: SwarmOptions): Libp2pSwarm
}

/** Their curve is large, and a first message needs none: loaded when mail is first to be left somewhere. */
const loadTokens = async (primitives: Primitives): Promise<BlindTokens> => new (await import('@skein/core/tokens')).VoprfTokens(primitives)

/** What ends what was started, in the order of starting. */
export type Undo = (() => Promise<void> | void)[]

/** Starts network and messenger; what was started is in `undo`, also when this fails. @throws SkeinError PORT_IN_USE */
export async function assemble(
  { config, logger, createSwarm, deviceName, files, lateFiles, restAfterMs = 0, ...ports }: ClientParts,
  undo: Undo,
): Promise<{ messenger: Messenger; swarm: Libp2pSwarm }> {
  const { clock, random, primitives } = ports
  const identity = await loadIdentity(ports)
  const named = config.relays.map(splitRelay)
  const relays = named.map(({ url }) => url)
  const swarm = createSwarm({
    privateKeySeed: identity.deviceSeed,
    relays,
    relayTokens: new Map(named.flatMap(({ url, token }) => (token === undefined ? [] : [[url, token]]))),
    listen: { port: config.port, host: config.host },
    logger: logger.child('swarm'),
    clock,
    random,
    judge: {
      verify: (key, record) => verifyRecord(primitives, key, record),
      isNewer: (a, b) => isNewerRecord(primitives, a, b),
    },
  })
  undo.push(() => swarm.stop())
  await swarm.start()
  const rested = clock.sleep(restAfterMs)
  const late = lateFiles === undefined ? {} : { lateFiles: () => lateFiles(swarm) }
  const transfers = files === undefined ? late : { files: files(swarm) }
  const messenger = new Messenger(
    { ...ports, ...transfers, logger, swarm, directory: swarm, tokens: () => rested.then(() => loadTokens(primitives)) },
    identity,
    {
      name: config.name,
      relays,
      mailboxes: config.mail ? relays : [],
      readReceipts: config.readReceipts,
      visibility: config.visibility,
      expireMs: config.expireMs,
      deviceName,
    },
  )
  undo.push(() => messenger.stop())
  await messenger.start()
  return { messenger, swarm }
}

/** Last started, first stopped; one part that fails to stop does not keep the others running. */
export async function stopAll(undo: Undo, logger: Logger): Promise<void> {
  for (const stop of undo.splice(0).reverse()) {
    await Promise.resolve()
      .then(stop)
      .catch((error: unknown) => logger.error('stop-failed', { reason: String(error) }))
  }
}
