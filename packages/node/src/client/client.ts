/** A running client: core's messenger on SQLite and libp2p. */
import { mkdirSync, realpathSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { carryByMesh, type FilesFactory, type Logger, SkeinError } from '@skein/core'
import { transferFiles } from '@skein/core/files'
import { nativeCompression } from '../platform/compression.ts'
import { nativePrimitives } from '../platform/primitives.ts'
import { createLogger } from '../platform/logger.ts'
import { clientStorageKey } from '../platform/storage-key-choice.ts'
import { Tally } from '../platform/tally.ts'
import { systemClock, systemRandom } from '../platform/system.ts'
import { bulkPortOn, NodeFiles } from '../files/index.ts'
import { readPart } from '../files/read-part.ts'
import { Uploads } from '../files/uploads.ts'
import { openOrReplaceArchive, openErasureCode, startMesh } from '../mesh/index.ts'
import { openBackup, readBackup, type Restored, writeBackup } from '../backup/index.ts'
import { openStore } from '../store/index.ts'
import { createSwarm as createNodeSwarm, installRejectionGuard, type Libp2pSwarm, type SwarmOptions } from '../swarm/index.ts'
import { serveSocket, socketPath } from './api/socket.ts'
import { assemble, type Client, stopAll, type Undo } from './assemble.ts'
import { defaultDataDir, type LoadedConfig } from './config.ts'
import { keepAddresses } from './address-book.ts'
import { OwnPage } from './page/index.ts'
import { startLan } from './lan.ts'
import { watchOver } from './network.ts'
import { RunningConfig } from './running-config.ts'

const PLATFORM = { clock: systemClock, random: systemRandom, primitives: nativePrimitives, compression: nativeCompression }

export interface RunningClient extends Client {
  /** Resolves when a stop has been requested over the API, or the client wants to be started anew. */
  readonly stopRequested: Promise<'stop' | 'restart'>
  /** Idempotent; resolves when nothing is left running. */
  stop(): Promise<void>
}

export interface ClientOptions extends LoadedConfig {
  readonly dataDir: string
  /** Folder with the exported interface, to be served to the local network; without it none is. */
  readonly ui?: string | undefined
  /** Asks whoever is at the terminal; SKEIN_PASSPHRASE goes before. */
  readonly askPassphrase?: (need: 'new' | 'existing') => Promise<string | undefined>
}

/**
 * Starts a client on a data directory.
 * @throws SkeinError DATA_DIR_READ_ONLY, STORE_LOCKED (another client runs there), STORE_CORRUPT, PORT_IN_USE,
 *   CONFIG_INVALID (passphrase wrong or missing), TIMED_OUT (the keychain does not answer)
 */
export async function createClient({ dataDir, config, origins, askPassphrase, ui }: ClientOptions): Promise<RunningClient> {
  const logger = createLogger({ level: config.log })
  const store = await openClientStore({ dataDir, config, askPassphrase }, logger)
  if (store.restored) logger.warn('database-was-put-back', { sessions: 'begun anew' })
  const undo: Undo = [installRejectionGuard(logger), () => store.close()]
  const restarting = Promise.withResolvers<'restart'>()
  try {
    const replaced = (aside: string): void => logger.warn('mesh-file-was-damaged', { aside })
    // Without any network, and without neighbours, what is carried still goes by hand.
    const meshArchive = openOrReplaceArchive(join(dataDir, 'mesh.sqlite'), replaced)
    undo.push(() => meshArchive.close())
    const mesh = carryByMesh(meshArchive, openErasureCode)
    const home = realpathSync(dataDir)
    const platform = new NodeFiles({ stateFolder: join(home, 'files'), defaultFolder: join(home, 'received') })
    const settings = new RunningConfig({ config, origins, dataDir, folder: platform })
    undo.push(() => platform.stop())
    const files = (swarm: Libp2pSwarm): FilesFactory => transferFiles(platform, bulkPortOn(swarm))
    const tally = new Tally()
    const createSwarm = (options: SwarmOptions): Libp2pSwarm =>
      createNodeSwarm({ ...options, onGarbage: () => tally.add('punch-garbage'), onForged: () => tally.add('punch-forged') })
    const { messenger, swarm } = await assemble(
      { ...PLATFORM, mesh, createSwarm, files, store, config, logger, deviceName: hostname().slice(0, 64) },
      undo,
    )
    const [hasLan, bridge] = [config.mesh && config.lan, config.mesh && config.bridge]
    const neighbours = startMesh({ messenger, swarm, clock: systemClock, logger: logger.child('mesh'), hasLan, bridge }, undo)
    // Whoever shows itself to nobody dials no strangers either.
    const meets = config.visibility !== 'nobody'
    const lan = config.lan
      ? await startLan(
          {
            messenger,
            swarm,
            logger: logger.child('lan'),
            tally,
            visibility: config.visibility,
            host: config.host,
            onPlace: (address) => meets && neighbours?.seen(address),
          },
          undo,
        )
      : undefined
    await keepAddresses({ messenger, swarm, store, logger, clock: systemClock }, undo)
    const page = new OwnPage({ swarm, ui, host: config.host })
    undo.push(() => page.close())
    if (config.page) await page.urls()
    const mapsPort = config.lan && config.portMapping
    const network = watchOver({ swarm, logger, mapsPort, onGarbage: () => tally.add('stun-garbage') }, undo)
    let requestStop = (): void => undefined
    const stopRequested = new Promise<void>((resolve) => (requestStop = resolve))
    const client: Client = {
      messenger,
      swarm,
      nearby: () => lan?.nearby() ?? [],
      refused: () => ({ ...tally.all(), ...lan?.refused() }),
      network,
      page,
      uploads: new Uploads(join(home, 'files')),
      readPart,
      clock: systemClock,
      primitives: nativePrimitives,
      config,
      pid: process.pid,
      describeConfig: () => settings.describe(),
      backup: (passphrase) => writeBackup(store, { clock: systemClock, account: messenger.identity.account, passphrase }),
      configure: (change) => settings.change(change),
      requestStop,
      restart: () => restarting.resolve('restart'),
    }
    undo.push(await serveSocket(client, socketPath(dataDir)))
    return {
      ...client,
      stopRequested: Promise.race([stopRequested.then(() => 'stop' as const), restarting.promise]),
      stop: () => stopAll(undo, logger),
    }
  } catch (error) {
    await stopAll(undo, logger)
    throw error
  }
}

interface StorePlace extends Pick<ClientOptions, 'dataDir' | 'config'> {
  readonly askPassphrase: ClientOptions['askPassphrase'] | undefined
}

async function openClientStore(
  { dataDir, config: { keyStorage }, askPassphrase }: StorePlace,
  logger: Logger,
): ReturnType<typeof openStore> {
  prepareDataDir(dataDir)
  const keyChoice = { dataDir, defaultDataDir: defaultDataDir({ ...process.env, SKEIN_DATA_DIR: '' }), keyStorage, env: process.env }
  const storageKey = clientStorageKey({ ...keyChoice, askPassphrase, logger })
  return openStore({ path: join(dataDir, 'skein.sqlite'), storageKey })
}

export interface RestoreOptions extends ClientOptions {
  readonly file: ReadableStream<Uint8Array>
  /** That the file was sealed with. */
  readonly passphrase: string
}

/** Puts a backup into a data directory in which nobody lives. @throws SkeinError as readBackup and createClient */
export async function restoreBackup({ file, passphrase, dataDir, config, askPassphrase }: RestoreOptions): Promise<Restored> {
  const opened = await openBackup(file, passphrase)
  const store = await openClientStore({ dataDir, config, askPassphrase }, createLogger({ level: config.log }))
  try {
    return await readBackup(store, opened, { clock: systemClock, random: systemRandom })
  } finally {
    await store.close()
  }
}

function prepareDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new SkeinError('DATA_DIR_READ_ONLY', `The data directory ${dataDir} cannot be made or written.`, { cause })
  }
}
