import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseDuration, parseValue } from './commands/durations.ts'
import { parseChanges } from './commands/index.ts'
import { changeSettings, DEFAULT_SETTINGS, loadSettings } from './settings.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'skein-settings-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

describe('settings', () => {
  it('[RL14] are the defaults without a file, and a change touches nothing else', () => {
    expect(loadSettings(dir)).toEqual(DEFAULT_SETTINGS)
    changeSettings(dir, { mode: 'token', 'limits.circuits': 7 })
    changeSettings(dir, { 'budget.bytesPerMonth': 2e12 })
    const { mode, limits, budget } = loadSettings(dir)
    expect([mode, limits.circuits, budget.bytesPerMonth, limits.connections]).toEqual(['token', 7, 2e12, 8_192])
    if (process.platform !== 'win32') expect(statSync(join(dir, 'settings.json')).mode & 0o777).toBe(0o600)
  })

  it.each([
    { 'limits.circuits': -1 },
    { 'limits.circuits': 'many' },
    { 'limits.nonsense': 1 },
    { mode: 'friends' },
    { 'budget.firstDay': 31 },
    { '__proto__.x': 1 },
    { 'constructor.prototype': 1 },
    { '': 1 },
    { 'mode.x': 1 },
  ])('[RL14] refuse %j, and the file stays as it was', (change) => {
    changeSettings(dir, { mode: 'closed' })
    const before = readFileSync(join(dir, 'settings.json'), 'utf8')
    expect(() => changeSettings(dir, change)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
    expect(readFileSync(join(dir, 'settings.json'), 'utf8')).toBe(before)
  })

  it.each(['[]', '{', '"x"', '{"mode":1}', '{"unknown":{}}'])('[RL14] refuse a file that is %s', (text) => {
    writeFileSync(join(dir, 'settings.json'), text)
    expect(() => loadSettings(dir)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })
})

describe('what people write', () => {
  it('durations, sizes and changes', () => {
    expect(['90s', '30d', '5ms'].map(parseDuration)).toEqual([90_000, 2_592_000_000, 5])
    for (const wrong of ['30', 'd', '-1d', '1w', '']) expect(() => parseDuration(wrong)).toThrow(expect.objectContaining({ code: 'USAGE' }))
    expect(['12', '1.5GB', '4.1TB', '2TB', 'token', '0x1'].map(parseValue)).toEqual([12, 1.5e9, 4.1e12, 2e12, 'token', '0x1'])
    expect(parseChanges(['mode=token', 'limits.circuits=5'])).toEqual({ mode: 'token', 'limits.circuits': 5 })
    expect(() => parseChanges(['limits'])).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })
})
