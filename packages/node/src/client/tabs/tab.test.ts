import { MemoryStore } from '@skein/core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { nativeCompression } from '../../platform/compression.ts'
import { nativePrimitives } from '../../platform/primitives.ts'
import { writeBackup } from '../../backup/index.ts'
import { systemClock, systemRandom } from '../../platform/system.ts'
import { createSwarm } from '../../swarm/index.ts'
import { silentLogger } from '../../swarm/test-network.ts'
import { assemble, stopAll, type Undo } from '../assemble.ts'
import { DEFAULTS } from '../config-schema.ts'
import { openTab, type RunningTabClient, type Tab } from './tab.ts'

const ports = {
  clock: systemClock,
  random: systemRandom,
  primitives: nativePrimitives,
  compression: nativeCompression,
  logger: silentLogger,
  createSwarm,
}
const tabs: Tab[] = []
let names = 0

afterEach(async () => {
  await Promise.all(tabs.splice(0).map((tab) => tab.close()))
})

/** Tabs of one browser: they share the store, and never may two clients run on it. */
class TestBrowser {
  readonly store = new MemoryStore()
  readonly name = `tabs-${(names += 1)}`
  running = 0
  most = 0
  failures = 0

  tab(locks: LockManager | undefined, start = () => this.start()): Tab {
    const tab = openTab(this.name, { ...ports, locks, start, onFailure: () => (this.failures += 1) })
    tabs.push(tab)
    return tab
  }

  private async start(): Promise<RunningTabClient> {
    this.most = Math.max(this.most, (this.running += 1))
    const config = { ...DEFAULTS, host: '127.0.0.1' }
    const undo: Undo = []
    const { messenger, swarm } = await assemble({ ...ports, store: this.store, config, deviceName: 'tab' }, undo)
    const stop = async (): Promise<void> => {
      await stopAll(undo, silentLogger)
      this.running -= 1
    }
    return {
      messenger,
      swarm,
      clock: systemClock,
      primitives: ports.primitives,
      config,
      pid: 0,
      describeConfig: () => ({}),
      configure: async () => true,
      backup: () => writeBackup(this.store, { clock: systemClock, account: messenger.identity.account, passphrase: null }),
      requestStop: () => undefined,
      restart: () => undefined,
      restartRequested: new Promise(() => undefined),
      stop,
    }
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await systemClock.sleep(5)
}

const WITHIN_MS = 30_000

describe.each([
  ['with locks', navigator.locks],
  ['without locks, on an origin that is not secure', undefined],
])('tabs %s', (_name, locks) => {
  it(
    '[TB1] one runs the client, the others reach it, and another takes over when it goes',
    async () => {
      const browser = new TestBrowser()
      const first = browser.tab(locks)
      await until(() => first.leads)
      const [second, third] = [browser.tab(locks), browser.tab(locks)]
      await until(() => second.api !== undefined && third.api !== undefined)
      const status = await first.api?.status()
      expect([await second.api?.status(), await third.api?.status()]).toEqual([status, status])
      expect([second.leads, third.leads]).toEqual([false, false])
      await first.close()
      await until(() => second.leads || third.leads)
      const [now, follower] = second.leads ? [second, third] : [third, second]
      await until(() => follower.api !== undefined)
      expect((await follower.api?.status())?.account).toBe(status?.account)
      expect([now.leads, follower.leads, browser.running, browser.most]).toEqual([true, false, 1, 1])
    },
    WITHIN_MS,
  )

  it(
    '[TB2] a call that is under way when its leader goes ends, and does not hang',
    async () => {
      const browser = new TestBrowser()
      const first = browser.tab(locks)
      await until(() => first.leads)
      const second = browser.tab(locks)
      await until(() => second.api !== undefined)
      const events = await second.api?.events()
      const ended = events?.next().then(
        () => 'answered',
        () => 'ended',
      )
      await first.close()
      await until(() => second.leads)
      expect(await ended).toBe('ended')
    },
    WITHIN_MS,
  )

  it(
    '[TB3] a client that does not start is said, and tried again',
    async () => {
      const browser = new TestBrowser()
      let tries = 0
      const tab = browser.tab(locks, () => {
        tries += 1
        return Promise.reject(new Error('storage is full'))
      })
      await until(() => tries > 1)
      expect(browser.failures).toBeGreaterThan(0)
      expect(tab.leads).toBe(false)
    },
    WITHIN_MS,
  )
})
