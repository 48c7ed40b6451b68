import { defaultDataDir, saveConfig } from '@skein/node/config'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { parseCommandLine, settingsOf, startAgain } from './command-line.ts'

const INVITE = 'skein:#AQAAAAAAAAAAAAAAAAAAAAAA'

it('[DW14] switches of Chromium beside our own options are left to Electron', () => {
  const line = ['--no-sandbox', '--data-dir', '/data', '--ozone-platform=wayland', '--json', INVITE]
  expect(parseCommandLine(line, { switches: true })).toMatchObject({
    dataDir: '/data',
    json: true,
    window: true,
    invite: INVITE,
    switches: ['--no-sandbox', '--ozone-platform=wayland'],
  })
  expect(parseCommandLine(['--data-dir', '/data'])).toMatchObject({ invite: undefined, switches: [] })
})

it('[DW26] what is accepted goes to the downloads, but for a client in a folder of its own', () => {
  const top = mkdtempSync(join(tmpdir(), 'skein-downloads-'))
  try {
    const env = { XDG_DATA_HOME: top, XDG_CONFIG_HOME: top }
    const folderOf = (dataDir: string): string => settingsOf({ dataDir }, env).config.filesFolder
    writeFileSync(join(top, 'user-dirs.dirs'), 'XDG_DESKTOP_DIR="$HOME/Tisch"\nXDG_DOWNLOAD_DIR="$HOME/Geladenes"\n')
    const usual = defaultDataDir(env)
    expect(folderOf(usual)).toBe(join(homedir(), 'Geladenes', 'Skein'))
    writeFileSync(join(top, 'user-dirs.dirs'), 'XDG_DOWNLOAD_DIR="/media/large"\n')
    expect(folderOf(usual)).toBe(join('/media/large', 'Skein'))
    // What stands there for a folder that was removed, or means none, is no reason not to start.
    for (const none of ['$HOME/', '$HOME', homedir(), 'Geladenes', '$HOMES/Geladenes', '']) {
      writeFileSync(join(top, 'user-dirs.dirs'), `XDG_DOWNLOAD_DIR="${none}"\n`)
      expect(folderOf(usual)).toBe(join(homedir(), 'Downloads', 'Skein'))
    }
    rmSync(join(top, 'user-dirs.dirs'))
    expect(folderOf(usual)).toBe(join(homedir(), 'Downloads', 'Skein'))
    expect(folderOf(join(top, 'own'))).toBe('')
  } finally {
    rmSync(top, { recursive: true })
  }
})

it('[DW13] what starts with the session is what lasts: the file of an AppImage, not the place where it is unpacked', () => {
  const options = parseCommandLine(['--no-sandbox', '--data-dir', '/data'], { switches: true })
  const again = ['--no-sandbox', '--data-dir', '/data']
  expect(startAgain(options, { program: ['/mounted/skein'], appImage: '/apps/Skein.AppImage' })).toEqual(['/apps/Skein.AppImage', ...again])
  expect(startAgain(options, { program: ['electron', 'electron.js'], appImage: undefined })).toEqual(['electron', 'electron.js', ...again])
})

it('[DW13] a folder that was named from where one stood is the same one at the next start, wherever that is from', () => {
  const options = parseCommandLine(['--data-dir', './bo'])
  expect(options.dataDir).toBe(resolve('bo'))
  expect(startAgain(options, { program: ['skein-desktop'], appImage: undefined })).toEqual(['skein-desktop', '--data-dir', resolve('bo')])
})

it('[DW25] relay and name that it was started with hold until they are set in the window, where they can be, and with the session', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'skein-settings-'))
  try {
    const given = ['--data-dir', dataDir, '--relay', 'https://a.example', '--relay', 'https://b.example', '--name', 'Ana']
    const options = parseCommandLine(given)
    const before = settingsOf(options, {})
    expect(before.config).toMatchObject({ relays: ['https://a.example', 'https://b.example'], name: 'Ana' })
    saveConfig({ dataDir, ...before }, { relays: ['https://own.example'], visibility: 'nobody' })
    expect(settingsOf(options, {}).config).toMatchObject({ relays: ['https://own.example'], visibility: 'nobody', name: 'Ana' })
    expect(startAgain(options, { program: ['skein-desktop'], appImage: undefined })).toEqual(['skein-desktop', ...given])
  } finally {
    rmSync(dataDir, { recursive: true })
  }
})
