import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { offersKeychain, systemKeychain } from './keychain.ts'

const isLinux = process.platform === 'linux'

it('[ST27] on Linux a keychain is looked for in a desktop session only', () => {
  const bus = { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere' }
  expect(offersKeychain({ env: bus, platform: 'linux' })).toBe(false)
  expect(offersKeychain({ env: { DISPLAY: ':0' }, platform: 'linux' })).toBe(false)
  expect(offersKeychain({ env: { ...bus, WAYLAND_DISPLAY: 'wayland-0' }, platform: 'linux' })).toBe(true)
  expect(offersKeychain({ env: {}, platform: 'darwin' })).toBe(true)
  expect(offersKeychain({ env: {}, platform: 'freebsd' })).toBe(false)
})

it.runIf(isLinux)('[ST27] without a session nothing is asked, without a bus the answer is no', async () => {
  const headless = systemKeychain({ env: {} })
  expect(await headless.put('x', new Uint8Array(32))).toBe(false)
  expect(await headless.get('x')).toBe('no-answer')
  expect(await headless.remove('x')).toBe(false)
  const env = { ...process.env, DISPLAY: ':99', DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere/bus' }
  expect(await systemKeychain({ env }).put('x', new Uint8Array(32))).toBe(false)
})

it.runIf(isLinux)('[ST27] a desktop that never answers is given up in time', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'skein-bus-'))
  const silent = createServer().listen(join(dir, 'bus'))
  await once(silent, 'listening')
  const env = { ...process.env, DISPLAY: ':99', DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(dir, 'bus')}` }
  const asked = once(silent, 'connection')
  const begun = performance.now()
  expect(await systemKeychain({ env, within: 1_000 }).put('x', new Uint8Array(32))).toBe(false)
  expect(performance.now() - begun).toBeLessThan(4_000)
  await asked
  silent.close()
  rmSync(dir, { recursive: true })
})
