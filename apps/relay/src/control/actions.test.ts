import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Membership } from '../admission/membership.ts'
import { openRelayStore, type RelayStore } from '../relay-store.ts'
import { loadSettings, type Settings } from '../settings.ts'
import { act, type RunningRelay, type Target } from './actions.ts'

let dataDir: string
let store: RelayStore
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'skein-actions-'))
  store = openRelayStore(dataDir)
})
afterEach(() => {
  store[Symbol.dispose]()
  rmSync(dataDir, { recursive: true })
})

/** A relay that runs, as far as its settings go. */
function target(): Target {
  let inForce: Settings = loadSettings(dataDir)
  const running: Pick<RunningRelay, 'settings' | 'reload'> = { settings: () => inForce, reload: () => (inForce = loadSettings(dataDir)) }
  return { dataDir, store, membership: new Membership(store.database, Date.now), running: running as RunningRelay }
}

const write = (text: string): void => writeFileSync(join(dataDir, 'settings.json'), text)

it('[RL14] limits shows what is in force, and whether the file says something else', async () => {
  const on = target()
  const limits = (changes = {}): Promise<unknown> => act(on, 'limits', { changes })
  expect(await limits()).toMatchObject({ in_force: true, pending: false, settings: { mode: 'open' } })
  write('{"mode":"closed"}')
  expect(await limits()).toMatchObject({ in_force: true, pending: true, settings: { mode: 'open' } })
  write('{"mode":"friends"}')
  expect(await limits()).toMatchObject({ pending: true, wrong: expect.stringContaining('mode'), settings: { mode: 'open' } })
  write('{"mode":"closed"}')
  expect(await limits({ 'limits.circuits': 7 })).toMatchObject({ pending: false, settings: { mode: 'closed', limits: { circuits: 7 } } })
  expect(await limits()).toMatchObject({ in_force: true, pending: false, settings: { mode: 'closed', limits: { circuits: 7 } } })
})

it('[RL14] of a relay that is off it shows the file', async () => {
  write('{"mode":"closed"}')
  const { running: _, ...off } = target()
  expect(await act(off, 'limits', { changes: {} })).toMatchObject({ in_force: false, pending: false, settings: { mode: 'closed' } })
})
