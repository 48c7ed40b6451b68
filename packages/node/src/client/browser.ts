/** A client in a browser: core's messenger on SQLite in a worker and libp2p over WebSocket and WebRTC; one for all tabs. */
import { fflateCompression, type FilesFactory, type Logger, MAX_LEASE_MS, type Messenger, noblePrimitives } from '@skein/core'
import { get, set, update } from 'idb-keyval'
import { browserRandom, consoleLogger } from '../platform/browser.ts'
import { systemClock } from '../platform/clock.ts'
import { openPageStore } from '../store/worker/open.ts'
import { isSealedWithPassphrase, records, RESTORING, STORAGE_KEY } from '../store/worker/records.ts'
import { createSwarm } from '../swarm/browser.ts'
import { REST_AFTER_MS } from '../swarm/stack.browser.ts'
import type { Libp2pSwarm } from '../swarm/libp2p-swarm.ts'
import { assemble, type ConfigChange, stopAll, type Undo } from './assemble.ts'
import { type Config, DEFAULTS, parseConfig } from './config-schema.ts'
import { openTab, type PageTab, type RunningTabClient, type Tab } from './tabs/index.ts'

export interface BrowserOptions {
  /** Of the identity within the origin. */
  readonly name: string
  /** Settings that differ from the defaults, as long as the user has not changed them. */
  readonly config: Partial<Config>
  /** A new worker that runs the store. */
  startWorker(): Worker
  /** A new worker that reads and writes files. */
  startFileWorker(): Worker
  /** Asks the user for the passphrase that seals the keys; nothing for a new database means: without. */
  passphrase(need: 'new' | 'existing'): Promise<string | undefined>
  /** The client could not be started; it is tried again. */
  onFailure(error: unknown): void
}

/** Where changed settings are, among the records of the identity. */
const SETTINGS = 'settings'
/** When a tab without locks took its turn last, among the same. */
const TURN = 'turn'

const PLATFORM = {
  clock: systemClock,
  random: browserRandom,
  primitives: noblePrimitives,
  compression: fflateCompression,
  restAfterMs: REST_AFTER_MS,
}

/** Whether the keys of an identity in this browser are sealed with a passphrase. */
export const hasPassphrase = (name: string): Promise<boolean> => isSealedWithPassphrase(name)

/** Whether an identity is kept in this browser: it may have been deleted, or its restoration broken off. */
export async function hasIdentity(name: string): Promise<boolean> {
  const kept = records(name)
  return (await get(STORAGE_KEY, kept)) !== undefined && (await get(RESTORING, kept)) === undefined
}

/** Opens this tab; the client runs in one tab of the origin, and moves to another when that one is closed. */
export function openBrowser(options: BrowserOptions): Tab {
  const locks = (globalThis.navigator as Partial<Navigator>).locks
  let gone: { readonly error: unknown } | undefined
  const start = async (): Promise<RunningTabClient> => {
    // A new identity in its place, while the user looks at the old one's conversations, would pretend to be it.
    if (gone !== undefined) throw gone.error
    return startClient(options, (error) => (gone = { error }))
  }
  const nextTurn = async (next: (last: number) => number): Promise<number> => {
    let turn = 0
    await update<number>(TURN, (last = 0) => (turn = next(last)), records(options.name))
    return turn
  }
  const tab = openTab(options.name, { ...PLATFORM, locks, nextTurn, start, isVisible, onFailure: options.onFailure })
  followPage(tab)
  return tab
}

/** @throws SkeinError STORE_LOCKED, STORE_CORRUPT, DISK_FULL, CONFIG_INVALID */
async function startClient(options: BrowserOptions, onGone: (error: unknown) => void): Promise<RunningTabClient> {
  const kept = records(options.name)
  if ((await get(RESTORING, kept)) !== undefined) await (await import('./browser-data.ts')).eraseBrowser(options.name)
  let changed = (await get<ConfigChange>(SETTINGS, kept)) ?? {}
  const config = parseConfig({ ...DEFAULTS, ...options.config, ...changed })
  const logger = consoleLogger(config.log)
  const page = await openPageStore({ name: options.name, worker: options.startWorker(), passphrase: options.passphrase })
  const undo: Undo = [() => page.close()]
  try {
    const { messenger, swarm } = await assemble(
      { ...PLATFORM, lateFiles: loadFiles(options, undo), store: page.store, config, logger, createSwarm, deviceName: deviceName() },
      undo,
    )
    undo.push(wakeWithNetwork(swarm, logger), restWhenHidden(messenger.presence, logger))
    const describeConfig = (): ReturnType<RunningTabClient['describeConfig']> =>
      Object.fromEntries(Object.entries(config).map(([key, value]) => [key, { value, origin: 'browser' }]))
    const restart = Promise.withResolvers<void>()
    void page.gone.then((error) => {
      onGone(error)
      restart.reject(error)
    })
    const configure = async (change: ConfigChange): Promise<boolean> => {
      parseConfig({ ...config, ...change })
      // Several may come before the start that they ask for.
      changed = { ...changed, ...change }
      await set(SETTINGS, changed, kept)
      // After the answer has left.
      setTimeout(restart.resolve, 0)
      return true
    }
    const backup = async (passphrase: string | null): Promise<ReadableStream<Uint8Array>> => {
      // Few ask for one: its format is loaded then.
      const { writeBackup } = await import('../backup/index.ts')
      return writeBackup(page.store, { clock: systemClock, account: messenger.identity.account, passphrase })
    }
    const own = {
      config,
      pid: 0,
      describeConfig,
      configure,
      backup,
      requestStop: restart.resolve,
      restart: restart.resolve,
      restartRequested: restart.promise,
      abandon: () => swarm.abandon(),
    }
    return { messenger, swarm, clock: systemClock, primitives: noblePrimitives, ...own, stop: () => stopAll(undo, logger) }
  } catch (error) {
    await stopAll(undo, logger)
    throw error
  }
}

/** A first message needs none of it. */
function loadFiles({ name, startFileWorker }: BrowserOptions, undo: Undo): (swarm: Libp2pSwarm) => Promise<FilesFactory> {
  return async (swarm) => {
    const [{ transferFiles }, { BrowserFiles }, { bulkPortOn }] = await Promise.all([
      import('@skein/core/files'),
      import('../files/browser/browser-files.ts'),
      import('../files/bulk-port.ts'),
    ])
    const platform = new BrowserFiles({ name, startWorker: startFileWorker })
    // After messenger and swarm: nobody is told of it while transfers are under way.
    undo.splice(1, 0, () => platform.stop())
    return transferFiles(platform, bulkPortOn(swarm))
  }
}

/** Browsers slow a hidden page's timers down: its contacts are asked to miss it later. */
function restWhenHidden(presence: Messenger['presence'], logger: Logger): () => void {
  const tell = (): void => {
    const lease = globalThis.document.visibilityState === 'hidden' ? MAX_LEASE_MS : 0
    presence.takeLease(lease).catch((error: unknown) => logger.warn('lease-not-said', { reason: String(error) }))
  }
  tell()
  globalThis.document.addEventListener('visibilitychange', tell)
  return () => globalThis.document.removeEventListener('visibilitychange', tell)
}

/** As a person would tell one browser from another. */
function deviceName(): string {
  const agent = globalThis.navigator.userAgent
  const browser = ['Firefox', 'Edg', 'OPR', 'Chrome', 'Safari'].find((each) => agent.includes(each)) ?? 'Browser'
  const system = ['Android', 'iPhone', 'iPad', 'Windows', 'Mac', 'Linux'].find((each) => agent.includes(each))
  return system === undefined ? browser : `${browser} (${system})`
}

/** A page that is shown again, or is online again, does not wait for the next try. */
function wakeWithNetwork(swarm: { hurry(): void }, logger: Logger): () => void {
  const hurry = (): void => {
    logger.debug('network-may-be-back')
    swarm.hurry()
  }
  return onReturn(hurry)
}

/** Calls when the page is shown again, or is online again, seen or not. The returned function ends it. */
function onReturn(work: () => void): () => void {
  const show = (): void => {
    if (isVisible()) work()
  }
  globalThis.addEventListener('online', work)
  globalThis.document.addEventListener('visibilitychange', show)
  return () => {
    globalThis.removeEventListener('online', work)
    globalThis.document.removeEventListener('visibilitychange', show)
  }
}

const isVisible = (): boolean => globalThis.document.visibilityState === 'visible'

/** For as long as the page lives. */
function followPage(tab: PageTab): void {
  const reload = (): void => globalThis.location.reload()
  // The tab that leads may be hidden, and hear nothing of the network.
  onReturn(() => (tab.leads ? undefined : void tab.api?.tryNow().catch(() => undefined)))
  for (const each of ['pagehide', 'freeze']) globalThis.addEventListener(each, () => tab.rest(), true)
  globalThis.addEventListener('resume', () => (tab.wake() ? undefined : reload()), true)
  // What was shown before is only a picture: its worker and its connections have ended.
  globalThis.addEventListener('pageshow', ({ persisted }) => (persisted ? reload() : undefined))
}
