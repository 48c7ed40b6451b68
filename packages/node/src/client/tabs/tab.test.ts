import { MemoryStore, VirtualClock } from '@skein/core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { nativeCompression } from '../../platform/compression.ts'
import { nativePrimitives } from '../../platform/primitives.ts'
import { writeBackup } from '../../backup/index.ts'
import { systemClock, systemRandom } from '../../platform/system.ts'
import { createSwarm } from '../../swarm/index.ts'
import { silentLogger } from '../../swarm/test-network.ts'
import { assemble, stopAll, type Undo } from '../assemble.ts'
import { DEFAULTS } from '../config-schema.ts'
import { openTab, type PageTab, type RunningTabClient } from './tab.ts'

const nextTurn = (next: (last: number) => number): Promise<number> => Promise.resolve(next(0))

const ports = {
  nextTurn,
  clock: systemClock,
  random: systemRandom,
  primitives: nativePrimitives,
  compression: nativeCompression,
  logger: silentLogger,
  createSwarm,
}
const tabs: PageTab[] = []
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

  tab(locks: LockManager | undefined, start = () => this.start()): PageTab {
    const tab = openTab(this.name, { ...ports, locks, start, isVisible: () => true, onFailure: () => (this.failures += 1) })
    tabs.push(tab)
    return tab
  }

  async start(): Promise<RunningTabClient> {
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
      abandon: () => undefined,
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

  it(
    '[TB7] a tab that is about to be frozen gives its turn away at once, and nothing that it has begun has to end first',
    async () => {
      const browser = new TestBrowser()
      let abandoned = 0
      const hangs = async (): Promise<RunningTabClient> => {
        const client = await browser.start()
        const stop = async (): Promise<never> => {
          await client.stop()
          return new Promise(() => undefined)
        }
        return { ...client, stop, abandon: () => (abandoned += 1) }
      }
      const first = browser.tab(locks, hangs)
      await until(() => first.leads)
      const second = browser.tab(locks)
      await until(() => second.api !== undefined)
      first.rest()
      await until(() => second.leads)
      expect([abandoned, first.wake(), first.leads]).toEqual([1, false, false])
    },
    WITHIN_MS,
  )

  it(
    '[TB7] a tab that stands still waits for no turn, and reaches whoever leads when it goes on',
    async () => {
      const browser = new TestBrowser()
      const first = browser.tab(locks)
      await until(() => first.leads)
      const [still, third] = [browser.tab(locks), browser.tab(locks)]
      await until(() => still.api !== undefined && third.api !== undefined)
      still.rest()
      await first.close()
      await until(() => third.leads)
      expect(still.wake()).toBe(true)
      await until(() => still.api !== undefined)
      expect((await still.api?.status())?.account).toBe((await third.api?.status())?.account)
    },
    WITHIN_MS,
  )

  it(
    '[TB9] a follower that goes leaves no call behind',
    async () => {
      const browser = new TestBrowser()
      let listening = 0
      const first = browser.tab(locks, async () => {
        const client = await browser.start()
        const { messenger } = client
        const listen = messenger.listen.bind(messenger)
        messenger.listen = (listener) => {
          const stop = listen(listener)
          listening += 1
          return () => {
            listening -= 1
            return stop()
          }
        }
        return client
      })
      await until(() => first.leads)
      const second = browser.tab(locks)
      await until(() => second.api !== undefined)
      const before = listening
      const events = await second.api?.events()
      events?.next().catch(() => undefined)
      await until(() => listening > before)
      second.rest()
      await expect.poll(() => listening, { timeout: 10_000 }).toBe(before)
    },
    WITHIN_MS,
  )
})

/** What a tab says to the others, and somebody among them who says whatever the test wants. */
function another(browser: TestBrowser) {
  const words = new BroadcastChannel(`skein-${browser.name}-words`)
  const heard: { readonly kind: string; readonly over?: string }[] = []
  words.onmessage = ({ data }) => void heard.push(data as (typeof heard)[number])
  return { words, heard }
}

it(
  '[TB8] a tab that was frozen while another took over parts nobody from that one, and reaches it itself',
  async () => {
    const browser = new TestBrowser()
    const { words, heard } = another(browser)
    const first = browser.tab(undefined)
    await until(() => first.leads)
    const second = browser.tab(undefined)
    await until(() => second.api !== undefined)
    const api = second.api
    const last = heard.findLast(({ kind }) => kind === 'reach')?.over
    words.postMessage({ kind: 'gone', leader: 'frozen' })
    words.postMessage({ kind: 'reached', over: last, leader: 'frozen', fresh: true })
    await second.api?.status()
    expect(second.api).toBe(api)
    // Somebody has led since a minute from now.
    const turns = new BroadcastChannel(`skein-${browser.name}`)
    turns.postMessage({ kind: 'me', from: 'ffff', since: Date.now() + 60_000 })
    await until(() => !first.leads)
    await until(() => heard.some(({ kind }, at) => kind === 'reach' && heard.slice(0, at).some((each) => each.kind === 'gone')))
    await until(() => first.api !== undefined && second.api !== undefined)
    words.close()
    turns.close()
  },
  WITHIN_MS,
)

it('[TB10] a leader that does not answer is said, until it does', async () => {
  const browser = new TestBrowser()
  const { words } = another(browser)
  const clock = new VirtualClock()
  const held = Promise.withResolvers<void>()
  const lock = navigator.locks.request(`skein-${browser.name}`, () => held.promise)
  const tab = openTab(browser.name, {
    ...ports,
    clock,
    locks: navigator.locks,
    start: () => browser.start(),
    isVisible: () => true,
    onFailure: () => undefined,
  })
  await clock.advance(4_500)
  expect(tab.silent).toBe(false)
  await clock.advance(1_500)
  expect(tab.silent).toBe(true)
  words.postMessage({ kind: 'wait' })
  await until(() => !tab.silent)
  await tab.close()
  held.resolve()
  await lock
  words.close()
})
