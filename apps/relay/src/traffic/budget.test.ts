import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { parseSettings } from '../settings.ts'
import { Budget, monthOf } from './budget.ts'
import { readInterfaces } from './interfaces.ts'
import { Meter } from './meter.ts'
import { Rates } from './rates.ts'

const NOW = Date.UTC(2026, 10, 21)
const DAY_MS = 86_400_000
const settings = (budget: unknown) => parseSettings({ budget }).budget
const LIMITED = settings({ bytesPerMonth: 1_000 })

function memory() {
  const kept = new Map<string, Uint8Array>()
  return {
    get: (key: string) => kept.get(key),
    put: (key: string, value: Uint8Array) => void kept.set(key, value),
    delete: (key: string) => void kept.delete(key),
  }
}
const wire = (bytes: number, epoch = 'boot eth0') => ({ bytes, epoch })

describe("the month's budget", () => {
  it('[RL13] warns, slows and stops as it is used up', () => {
    const budget = new Budget(memory(), { now: NOW, counted: { interfaces: undefined, relay: 0 }, settings: LIMITED })
    const states = [0, 799, 800, 900, 1_000].map((relay) => budget.look(NOW, { interfaces: undefined, relay }, LIMITED).state)
    expect(states).toEqual(['ok', 'ok', 'warned', 'slow', 'stopped'])
    expect(budget.report(settings({})).state).toBe('none')
  })

  it('[RL13] counts what the interfaces carried, or what the relay did where that is more or all that is known', () => {
    const first = { interfaces: wire(5_000), relay: 0 }
    const budget = new Budget(memory(), { now: NOW, counted: first, settings: LIMITED })
    expect(budget.look(NOW, { interfaces: wire(5_300), relay: 280 }, LIMITED)).toMatchObject({ used_bytes: 300, counted: 'interfaces' })
    expect(budget.look(NOW, { interfaces: wire(5_300), relay: 400 }, LIMITED)).toMatchObject({ used_bytes: 400, counted: 'relay' })
    const alone = settings({ bytesPerMonth: 1_000, count: 'relay' })
    expect(budget.look(NOW, { interfaces: wire(9_000), relay: 400 }, alone)).toMatchObject({ used_bytes: 400, counted: 'relay' })
  })

  it('[RL13] survives a restart, and a crash of which only the interface knows; after the machine restarts it counts on', () => {
    const entries = memory()
    const start = (counted: { interfaces: ReturnType<typeof wire> | undefined; relay: number }) =>
      new Budget(entries, { now: NOW, counted, settings: LIMITED })
    start({ interfaces: wire(100), relay: 0 }).look(NOW, { interfaces: wire(300), relay: 0 }, LIMITED)
    // Carried between the last look and a kill -9.
    const second = start({ interfaces: wire(350), relay: 0 })
    expect(second.look(NOW, { interfaces: wire(400), relay: 0 }, LIMITED).used_bytes).toBe(300)
    const rebooted = start({ interfaces: wire(10, 'other boot eth0'), relay: 0 })
    expect(rebooted.look(NOW, { interfaces: wire(60, 'other boot eth0'), relay: 0 }, LIMITED).used_bytes).toBe(350)
  })

  it('[RL13] forgets nothing when an interface comes, goes or counts anew while the relay runs', () => {
    const budget = new Budget(memory(), { now: NOW, counted: { interfaces: wire(5_000), relay: 0 }, settings: LIMITED })
    const look = (interfaces: ReturnType<typeof wire> | undefined, relay: number) =>
      budget.look(NOW, { interfaces, relay }, LIMITED).used_bytes
    expect(look(wire(5_300), 200)).toBe(300)
    // A tunnel has come up, with bytes of its own.
    expect(look(wire(9_000, 'boot eth0 wg0'), 210)).toBe(310)
    expect(look(wire(9_100, 'boot eth0 wg0'), 290)).toBe(400)
    expect(look(wire(5_500), 300)).toBe(410)
    expect(look(undefined, 330)).toBe(440)
    expect(look(wire(5_700), 330)).toBe(440)
    expect(look(wire(5_750), 330)).toBe(490)
    expect(look(wire(20), 340)).toBe(500)
    expect(look(wire(120), 340)).toBe(590)
  })

  it('[RL13] what the relay alone has counted is kept when it stops', () => {
    const entries = memory()
    const first = new Budget(entries, { now: NOW, counted: { interfaces: undefined, relay: 0 }, settings: LIMITED })
    for (const relay of [100, 200, 300]) first.look(NOW + relay, { interfaces: undefined, relay }, LIMITED)
    first.close(NOW + 400, LIMITED)
    const second = new Budget(entries, { now: NOW + 500, counted: { interfaces: undefined, relay: 0 }, settings: LIMITED })
    expect(second.look(NOW + 500, { interfaces: undefined, relay: 5 }, LIMITED).used_bytes).toBe(305)
  })

  it("[RL13] begins anew with the provider's month", () => {
    const budget = new Budget(memory(), { now: NOW, counted: { interfaces: undefined, relay: 0 }, settings: LIMITED })
    budget.look(NOW, { interfaces: undefined, relay: 500 }, LIMITED)
    expect(budget.look(NOW + 11 * DAY_MS, { interfaces: undefined, relay: 600 }, LIMITED)).toMatchObject({
      used_bytes: 0,
      month: '2026-12-01',
    })
    expect([monthOf(Date.UTC(2026, 0, 9), 10), monthOf(Date.UTC(2026, 0, 10), 10)]).toEqual(['2025-12-10', '2026-01-10'])
  })

  it('[RL13] a look at another year, also over a restart, neither settles the month for that year nor forgets what is used', () => {
    const entries = memory()
    const counted = (relay: number) => ({ interfaces: undefined, relay })
    const before = new Budget(entries, { now: NOW, counted: counted(0), settings: LIMITED })
    before.look(NOW, counted(500), LIMITED)
    expect(before.look(NOW + 365 * DAY_MS, counted(500), LIMITED)).toMatchObject({ used_bytes: 0, month: '2027-11-01' })
    expect(before.look(NOW + 365 * DAY_MS, counted(560), LIMITED).used_bytes).toBe(60)
    before.close(NOW, LIMITED)
    const after = new Budget(entries, { now: NOW, counted: counted(0), settings: LIMITED })
    expect(after.look(NOW, counted(0), LIMITED)).toMatchObject({ used_bytes: 560, month: '2026-11-01' })
    expect(after.look(NOW, counted(40), LIMITED).used_bytes).toBe(600)
    // The real next month is a new one, a second of the old one in between is none.
    expect(after.look(NOW + 11 * DAY_MS, counted(40), LIMITED).used_bytes).toBe(0)
    expect(after.look(NOW + 11 * DAY_MS, counted(70), LIMITED).used_bytes).toBe(30)
    expect(after.look(NOW, counted(80), LIMITED)).toMatchObject({ used_bytes: 640, month: '2026-11-01' })
    expect(after.look(NOW + 11 * DAY_MS, counted(90), LIMITED)).toMatchObject({ used_bytes: 50, month: '2026-12-01' })
  })

  it('[RL13] another first day of the month forgets nothing of what is used, in either direction; a month that is over is over', () => {
    const counted = (relay: number) => ({ interfaces: undefined, relay })
    const from = (firstDay: number) => settings({ bytesPerMonth: 1_000, firstDay })
    const budget = new Budget(memory(), { now: NOW, counted: counted(0), settings: from(1) })
    budget.look(NOW, counted(500), from(1))
    expect(budget.look(NOW, counted(510), from(15))).toMatchObject({ used_bytes: 510, month: '2026-11-15' })
    expect(budget.look(NOW, counted(520), from(28))).toMatchObject({ used_bytes: 520, month: '2026-10-28' })
    expect(budget.look(NOW, counted(530), from(15))).toMatchObject({ used_bytes: 530, month: '2026-11-15' })
    expect(budget.look(NOW + 30 * DAY_MS, counted(540), from(1))).toMatchObject({ used_bytes: 0, month: '2026-12-01' })
  })

  it('[RL13] a month before all that is known begins with what is used', () => {
    const ahead = NOW + 365 * DAY_MS
    const budget = new Budget(memory(), { now: ahead, counted: { interfaces: undefined, relay: 0 }, settings: LIMITED })
    budget.look(ahead, { interfaces: undefined, relay: 400 }, LIMITED)
    expect(budget.look(NOW, { interfaces: undefined, relay: 400 }, LIMITED)).toMatchObject({ used_bytes: 400, month: '2026-11-01' })
  })

  it('[RL13] goes on from nothing when its row is damaged', () => {
    const entries = memory()
    entries.put('traffic-budget', Buffer.from('{"used":"x"'))
    const budget = new Budget(entries, { now: NOW, counted: { interfaces: undefined, relay: 0 }, settings: LIMITED })
    expect(budget.look(NOW, { interfaces: undefined, relay: 5 }, LIMITED).used_bytes).toBe(5)
  })
})

describe('interfaces', () => {
  const dirs: string[] = []
  afterEach(() => {
    for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true })
  })

  /** What a kernel shows: `hardware` are those with a device behind them. */
  function kernel(rows: readonly string[], hardware: readonly string[]) {
    const dir = mkdtempSync(join(tmpdir(), 'skein-interfaces-'))
    dirs.push(dir)
    const names = rows.map((row) => row.split(':')[0]?.trim() ?? '')
    for (const name of names) mkdirSync(join(dir, 'class', name, ...(hardware.includes(name) ? ['device'] : [])), { recursive: true })
    writeFileSync(join(dir, 'dev'), ['Inter-|   Receive', ' face |bytes', ...rows].join('\n'))
    writeFileSync(join(dir, 'boot'), 'boot-1\n')
    return { dev: join(dir, 'dev'), classes: join(dir, 'class'), bootId: join(dir, 'boot') }
  }
  const row = (name: string, received: number, sent: number) => `${name}: ${received} 1 0 0 0 0 0 0 ${sent} 1 0 0 0 0 0 0`

  it('[RL13] count both directions, without loopback, and without bridges where there is hardware', () => {
    const rows = [row('lo', 7, 7), row('  eth0', 100, 20), row('docker0', 50, 50)]
    expect(readInterfaces(kernel(rows, ['eth0']))).toEqual({ bytes: 120, epoch: 'boot-1 eth0' })
    expect(readInterfaces(kernel(rows, []))?.bytes).toBe(220)
    expect(readInterfaces(kernel([row('lo', 7, 7)], []))).toBeUndefined()
    expect(readInterfaces({ dev: '/nowhere', classes: '/nowhere', bootId: '/nowhere' })).toBeUndefined()
  })
})

describe('figures', () => {
  it('[RL15] name the heaviest users by a hash that is new at each start', () => {
    const [meter, other] = [new Meter(), new Meter()]
    meter.onPassage({ from: 'alice', to: 'bob' }, { bytes: 10, class: 'chat' })
    meter.onPassage({ from: 'carol', to: 'bob' }, { bytes: 5, class: 'bulk' })
    expect(meter.heaviest(2).map(({ bytes }) => bytes)).toEqual([15, 10])
    expect(JSON.stringify(meter.heaviest(9))).not.toMatch(/alice|bob|carol/)
    expect(meter.nameOf('alice')).not.toBe(other.nameOf('alice'))
  })

  it('[RL15] stay bounded and keep the heaviest when everybody is somebody else', () => {
    const meter = new Meter()
    meter.onPassage({ from: 'heavy', to: 'heavy too' }, { bytes: 1e9, class: 'bulk' })
    for (let n = 0; n < 50_000; n += 1) meter.onPassage({ from: `f${n}`, to: `t${n}` }, { bytes: 1, class: 'chat' })
    expect(meter.heaviest(2).map(({ bytes }) => bytes)).toEqual([1e9, 1e9])
    expect(meter.heaviest(1e9).length).toBeLessThanOrEqual(8_193)
  })

  it('[RL15] give averages over the windows that have passed', () => {
    const rates = new Rates()
    for (let at = 0; at <= 120_000; at += 10_000) rates.sample(at, at * 10)
    expect(rates.kilobits()).toMatchObject({ '10s': 80, '60s': 80, '3600s': 80 })
    rates.sample(130_000, 1_200_000)
    expect(rates.kilobits()['10s']).toBe(0)
  })
})
