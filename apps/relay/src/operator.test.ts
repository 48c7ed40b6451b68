import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Logger } from '@skein/core'
import type { RelayStack } from '@skein/node/swarm'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Operator, type StackFigures } from './operator.ts'
import { openRelayStore, type RelayStore } from './relay-store.ts'
import { whySlow } from './status-page.ts'

const silent: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => silent }
const none = (): number => 0
const FIGURES: StackFigures = {
  connections: none,
  peers: none,
  places: () => ({ begun: 2, renewed: 1, ended: 0 }),
  udpDrops: () => ({ quic: 3 }),
  reservations: none,
  circuits: none,
  oldestHold: () => 7,
  dhtPeers: none,
  dhtRecords: none,
  gossipMessages: none,
  mailStreams: none,
  mailTags: none,
  mailHeldBytes: none,
  cards: none,
  stunRequests: none,
  stunRefused: none,
  certificateExpires: none,
  status: none,
  mailKept: async () => ({ envelopes: 0, bytes: 0 }),
}

const stackWith = (parts: Partial<RelayStack>): RelayStack =>
  ({ serve: async () => undefined, endCircuits: none, holders: () => [], review: none, wake: none, ...parts }) as unknown as RelayStack

let dataDir: string
let store: RelayStore
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'skein-operator-'))
  store = openRelayStore(dataDir)
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})
afterEach(() => {
  vi.useRealTimers()
  store[Symbol.dispose]()
  rmSync(dataDir, { recursive: true })
})

it('[RL13] while the budget is used up circuits are ended again and again: some had been allowed before and began since', async () => {
  writeFileSync(join(dataDir, 'settings.json'), '{"budget":{"bytesPerMonth":1000,"count":"relay"}}')
  using operator = new Operator({ dataDir, store, logger: silent, figures: FIGURES, behindProxy: false })
  let ended = 0
  await operator.attach(stackWith({ endCircuits: () => void (ended += 1) }))
  vi.advanceTimersByTime(2_000)
  expect(ended).toBe(0)
  operator.rules.onBytes('in', 1_000)
  vi.advanceTimersByTime(6_000)
  expect([operator.rules.budget, ended]).toEqual(['stopped', 3])
})

it('[RL15] what everybody may see is made once a second at most, and does not tell who used how much', () => {
  let looks = 0
  const figures = { ...FIGURES, connections: () => (looks += 1) }
  using operator = new Operator({ dataDir, store, logger: silent, figures, behindProxy: false })
  operator.rules.onPassage({ from: 'alice', to: 'bob' }, { bytes: 123_457, class: 'bulk' })
  const shown = [1, 2, 3].map(() => operator.shownStatus())
  expect([looks, shown[2] === shown[0]]).toEqual([1, true])
  expect(Object.keys(operator.status())).not.toContain('heaviest')
  expect(operator.heaviest().map(({ bytes }) => bytes)).toEqual([123_457, 123_457])
})

it('[RL35] the page says which rate slows and what was refused lately, most first', () => {
  writeFileSync(join(dataDir, 'settings.json'), '{"mode":"token","limits":{"bytesPerSecond":1000}}')
  using operator = new Operator({ dataDir, store, logger: silent, figures: FIGURES, behindProxy: false })
  expect(whySlow({ ...operator.status(), event_loop_p99_ms: 0 }).filter((each) => !each.includes('are in use'))).toEqual([])
  operator.rules.onPassage({ from: 'alice', to: 'bob' }, { bytes: 5_000, class: 'bulk' })
  for (let n = 0; n < 3; n += 1) operator.rules.mayReserve({ peer: 'mallory', address: '198.51.100.1' }, { total: 0, inGroup: () => 0 })
  operator.refusals.count('dht', 'rate')
  // What port scans do takes nothing from anybody.
  operator.refusals.count('handshake', 'failed')
  expect(whySlow({ ...operator.status(), http_connections: 8_000 }).join()).toContain('8000 of 8192 httpConnections')
  expect(whySlow({ ...operator.status(), event_loop_p99_ms: 0 }).slice(-3)).toEqual([
    expect.stringContaining('limits.bytesPerSecond '),
    'Refused in the last ten minutes: reserve, not-admitted (3).',
    'Refused in the last ten minutes: dht, rate (1).',
  ])
  for (let n = 0; n < 40_000; n += 1) operator.refusals.count('stun', 'malformed')
  expect(whySlow(operator.status())).toContain('A flood has come to nothing in the last ten minutes: stun, malformed (40000).')
})

it('[RL14] a stricter mode takes the places of those who do not belong here any more, and of nobody else', async () => {
  using operator = new Operator({ dataDir, store, logger: silent, figures: FIGURES, behindProxy: false })
  const cutOff: (string | undefined)[] = []
  await operator.attach(stackWith({ holders: () => ['alice', 'bob'], disconnect: async (peer) => void cutOff.push(peer) }))
  operator.membership.decide('alice', 'allow', '')
  operator.reload()
  expect(cutOff).toEqual([])
  writeFileSync(join(dataDir, 'settings.json'), '{"mode":"allowlist"}')
  operator.reload()
  expect(cutOff).toEqual(['bob'])
})

it('[RL14] what goes over the relay without a place goes on only as the settings allow now', async () => {
  using operator = new Operator({ dataDir, store, logger: silent, figures: FIGURES, behindProxy: false })
  let may: boolean[] = []
  const review: RelayStack['review'] = (mayGoOn) => {
    may = ['alice', 'bob'].flatMap((peer) => [mayGoOn(peer, false), mayGoOn(peer, true)])
  }
  await operator.attach(stackWith({ review }))
  operator.membership.decide('bob', 'allow', '')
  operator.reload()
  expect(may).toEqual([true, true, true, true])
  for (const [circuits, expected] of [
    ['limited', [false, true, true, true]],
    ['none', [false, false, true, true]],
    ['unlimited', [true, true, true, true]],
  ] as const) {
    writeFileSync(join(dataDir, 'settings.json'), JSON.stringify({ mode: 'closed', strangers: { circuits } }))
    operator.reload()
    expect(may).toEqual(expected)
  }
  operator.membership.decide('alice', 'deny', '')
  operator.reload()
  expect(may).toEqual([false, false, true, true])
})

it('[RL14] what is owed at a rate that was too small is paid at the next one, and who waits is told anew', async () => {
  const limits = (bytes: number): void =>
    writeFileSync(join(dataDir, 'settings.json'), JSON.stringify({ limits: { bytesPerSecondPerPeer: bytes, bytesPerSecond: bytes } }))
  limits(2)
  using operator = new Operator({ dataDir, store, logger: silent, figures: FIGURES, behindProxy: false })
  let woken = 0
  await operator.attach(stackWith({ wake: () => void (woken += 1) }))
  const pass = (bytes: number): number => operator.rules.onPassage({ from: 'alice', to: 'bob' }, { bytes, class: 'bulk' })
  expect(pass(65_536)).toBeGreaterThan(9 * 3_600_000)
  limits(2_000_000)
  operator.reload()
  expect([pass(65_536) < 100, woken]).toEqual([true, 1])
  limits(2_000)
  operator.reload()
  expect([pass(0) < 100, woken]).toEqual([true, 2])
})

it('[RL24] a disk that takes nothing is one line a minute that says why, is counted, and the budget goes on', async () => {
  writeFileSync(join(dataDir, 'settings.json'), '{"budget":{"bytesPerMonth":1000,"count":"relay"}}')
  const lines: (readonly [string, unknown])[] = []
  const logger: Logger = { ...silent, warn: (event, fields) => void lines.push([event, fields?.['code']]) }
  const put = (): never => {
    throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' })
  }
  const full = { ...store, entries: { ...store.entries, put } }
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance', 'Date'] })
  const operator = new Operator({ dataDir, store: full, logger, figures: FIGURES, behindProxy: false })
  await operator.attach(stackWith({}))
  const told = () => lines.filter(([event]) => event === 'budget-not-kept')
  operator.rules.onBytes('in', 1_000)
  expect(operator.disk.isRecent).toBe(false)
  vi.advanceTimersByTime(30_000)
  expect([operator.rules.budget, operator.disk.isRecent, told()]).toEqual(['stopped', true, [['budget-not-kept', 'SQLITE_FULL']]])
  expect(await operator.metrics.text()).toContain('skein_relay_refusals_total{service="budget",reason="disk-full"} 15')
  vi.advanceTimersByTime(60_000)
  expect(told()).toHaveLength(2)
  operator[Symbol.dispose]()
})

it('[RL24] a clock that is set is told of and counted, one that is set by little is not', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance', 'Date'] })
  const lines: (readonly [string, unknown])[] = []
  const logger: Logger = { ...silent, warn: (event, fields) => void lines.push([event, fields?.['seconds']]) }
  using operator = new Operator({ dataDir, store, logger, figures: FIGURES, behindProxy: false })
  await operator.attach(stackWith({}))
  for (const seconds of [4, 3_600, -3_600]) {
    vi.setSystemTime(Date.now() + seconds * 1_000)
    vi.advanceTimersByTime(2_000)
  }
  expect(lines).toEqual([
    ['clock-jumped', 3_600],
    ['clock-jumped', -3_600],
  ])
  expect(await operator.metrics.text()).toContain('skein_relay_clock_jumps_total 2')
})

it('[RL15] figures tell of places that begin and end, of devices of the day, and of connections to the pages', async () => {
  using operator = new Operator({ dataDir, store, logger: silent, figures: FIGURES, behindProxy: false })
  for (const peer of ['alice', 'bob', 'alice']) operator.rules.mayStay(peer)
  const text = await operator.metrics.text()
  expect(text).toContain('skein_relay_reservation_changes_total{change="begun"} 2')
  expect(text).toContain('skein_relay_clients_today 2')
  expect(text).toContain('skein_relay_oldest_wait_seconds 7')
  expect(text).toContain('skein_relay_http_connections 0')
  expect(text).toContain('skein_relay_udp_dropped_total{port="quic"} 3')
  expect(text).not.toContain('alice')
})

it.each(['alerts.yml', 'alerts.test.yml', 'grafana-dashboard.json'])('[RL20] %s names metrics that the relay has', async (file) => {
  using operator = new Operator({ dataDir, store, logger: silent, figures: FIGURES, behindProxy: false })
  const kinds = new Map([...(await operator.metrics.text()).matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', kind]) => [name, kind]))
  const text = readFileSync(fileURLToPath(new URL(`../../../infra/relay/${file}`, import.meta.url)), 'utf8')
  const named = [...text.matchAll(/\b(?:skein_relay|nodejs|process)_\w+/g)].map(([name]) => name)
  expect(named.length).toBeGreaterThan(3)
  const isKnown = (name: string): boolean => kinds.has(name) || kinds.get(name.replace(/_(bucket|sum|count)$/, '')) === 'histogram'
  expect(named.filter((name) => !isKnown(name))).toEqual([])
})
