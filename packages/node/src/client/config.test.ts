import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig, saveConfig } from './config.ts'

let dataDir: string
beforeEach(() => void (dataDir = mkdtempSync(join(tmpdir(), 'skein-config-'))))
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))
const load = (flags = {}, env = {}) => loadConfig({ dataDir, env, flags })
const invalid = expect.objectContaining({ code: 'CONFIG_INVALID' })

describe('configuration', () => {
  it('comes from file, environment and flags, in rising order, and says from where', () => {
    writeFileSync(join(dataDir, 'config.json'), JSON.stringify({ name: 'file', port: 1, visibility: 'nobody' }))
    const { config, origins } = load({ name: 'flag' }, { SKEIN_NAME: 'environment', SKEIN_PORT: '2' })
    expect(config).toMatchObject({ name: 'flag', port: 2, visibility: 'nobody', lan: true })
    expect(origins).toMatchObject({ name: 'flag', port: 'environment', visibility: 'file', lan: 'default' })
  })

  it('refuses what it does not know or cannot be, and names it', () => {
    for (const wrong of [{ nane: 'x' }, { port: 70_000 }, { relays: ['relay.example'] }, { visibility: 'some' }, { filesFolder: 'in' }])
      expect(() => load(wrong)).toThrow(invalid)
    writeFileSync(join(dataDir, 'config.json'), '["a list"]')
    expect(() => load()).toThrow(invalid)
  })

  it('keeps what the user changes, beside what was there, from the next start on', () => {
    writeFileSync(join(dataDir, 'config.json'), JSON.stringify({ port: 4_242 }))
    saveConfig({ dataDir, ...load() }, { name: 'Ana', visibility: 'everyone' })
    saveConfig({ dataDir, ...load() }, { relays: ['https://relay.example'] })
    expect(load().config).toMatchObject({ name: 'Ana', visibility: 'everyone', relays: ['https://relay.example'], port: 4_242 })
  })

  it('takes a folder for files by its absolute path, of any system, or none', () => {
    for (const filesFolder of ['/in', 'C:\\in', '\\\\server\\in', '']) expect(load({ filesFolder }).config.filesFolder).toBe(filesFolder)
    expect(load({}, { SKEIN_FILES_FOLDER: '/in' }).config.filesFolder).toBe('/in')
  })

  it('does not keep a change that would not count, or is wrong', () => {
    expect(() => saveConfig({ dataDir, ...load({ name: 'flag' }) }, { name: 'Ana' })).toThrow(invalid)
    expect(() => saveConfig({ dataDir, ...load() }, { relays: ['nowhere'] })).toThrow(invalid)
    expect(() => readFileSync(join(dataDir, 'config.json'))).toThrow('ENOENT')
  })
})
