import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import type { Happening } from './calls.ts'
import { runShell, type DesktopShell } from './electron-shell.ts'
import { FakeElectron } from './fake-electron.ts'

const INVITE = 'skein:#AQAAAAAAAAAAAAAAAAAAAAAA'
const ORIGIN = 'http://127.0.0.1:4567'

const dataDir = join(mkdtempSync(join(tmpdir(), 'skein-electron-')), 'new')
afterAll(() => rmSync(dirname(dataDir), { recursive: true, force: true }))

const OFF = { isOn: () => false, set: () => undefined }

/** A host of which only what the shell sees is there. */
class FakeHost {
  links = 0
  starts = 0
  stops = 0
  readonly listeners = new Set<(happening: Happening) => void>()
  readonly stopRequested = Promise.withResolvers<void>()

  start = async () => {
    this.starts += 1
    return {
      link: (fragment = '') => `${ORIGIN}/open?t=${(this.links += 1)}&to=${fragment}`,
      listen: (listener: (happening: Happening) => void) => {
        this.listeners.add(listener)
        return () => void this.listeners.delete(listener)
      },
      stopRequested: this.stopRequested.promise,
      stop: async () => void (this.stops += 1),
    }
  }

  happens(happening: Happening): void {
    for (const each of this.listeners) each(happening)
  }
}

async function started(): Promise<{ electron: FakeElectron; host: FakeHost; shell: DesktopShell; autoStart: { on: boolean } }> {
  const [electron, host, autoStart] = [new FakeElectron(), new FakeHost(), { on: false }]
  electron.ready.resolve()
  const shell = await runShell({
    electron: electron.parts,
    icon: 'icon.png',
    autoStart: { isOn: () => autoStart.on, set: (on) => void (autoStart.on = on) },
    dataDir,
    invite: undefined,
    startHost: host.start,
  })
  if (shell === undefined) throw new Error('it is the first')
  return { electron, host, shell, autoStart }
}

const incoming = (text: string, rest: Partial<Extract<Happening, { event: 'message' }>> = {}): Happening => ({
  event: 'message',
  contact: 'abc',
  name: 'Bo',
  muted: false,
  message: { direction: 'in', kind: 'text', text },
  ...rest,
})

describe('the shell in Electron', () => {
  it('[DW8] shows one window on the host, without rights of a program, and opens it again from the tray', async () => {
    const { electron, host } = await started()
    const [window] = electron.windows
    expect(window?.loaded).toEqual([`${ORIGIN}/open?t=1&to=`])
    expect(window?.options['webPreferences']).toMatchObject({ contextIsolation: true, sandbox: true, nodeIntegration: false })
    window?.close()
    expect([electron.exitCode, host.stops]).toEqual([undefined, 0])
    electron.tray?.emit('click')
    expect(electron.windows[1]?.loaded).toEqual([`${ORIGIN}/open?t=2&to=`])
    electron.tray?.choose('Open Skein')
    expect(electron.windows).toHaveLength(2)
  })

  it('[DW9] a second program hands over what it was started with, and ends', async () => {
    const { electron, host } = await started()
    electron.app.emit('second-instance', {}, ['skein', '--relay', 'https://relay.example'], '/', { invite: INVITE })
    expect(electron.windows[0]?.loaded.at(-1)).toBe(`${ORIGIN}/#add=${encodeURIComponent(INVITE)}`)
    electron.app.emit('second-instance', {}, ['skein', 'https://relay.example'], '/', {})
    expect(electron.windows[0]?.loaded).toHaveLength(2)
    const second = new FakeElectron()
    second.isFirst = false
    const options = { electron: second.parts, icon: '', autoStart: OFF, dataDir, invite: INVITE, startHost: host.start }
    expect(await runShell(options)).toBeUndefined()
    expect([second.exitCode, host.starts, second.handed]).toEqual([0, 1, { invite: INVITE }])
  })

  it('[DW21] there is one program for each client, and the invite that it was started with is opened', async () => {
    const [electron, host] = [new FakeElectron(), new FakeHost()]
    electron.ready.resolve()
    await runShell({ electron: electron.parts, icon: '', autoStart: OFF, dataDir, invite: INVITE, startHost: host.start })
    expect(statSync(dataDir).mode & 0o777).toBe(0o700)
    expect(electron.order).toEqual([`userData ${join(dataDir, 'electron')}`, 'lock'])
    expect(electron.windows[0]?.loaded[0]).toContain(`to=add=${encodeURIComponent(INVITE)}`)
  })

  it('[DW21] a client that cannot start is said in a dialog, and the program ends with 1', async () => {
    const electron = new FakeElectron()
    electron.ready.resolve()
    const startHost = () => Promise.reject(new Error('the disk is full'))
    await runShell({ electron: electron.parts, icon: '', autoStart: OFF, dataDir, invite: undefined, startHost })
    expect([electron.errors, electron.exitCode, electron.windows]).toEqual([['Skein cannot start.\n\nthe disk is full'], 1, []])
  })

  it('[DW9] a link of the system is opened, also one that comes before there is a window', async () => {
    const [electron, host] = [new FakeElectron(), new FakeHost()]
    const options = { electron: electron.parts, icon: '', autoStart: OFF, dataDir, invite: undefined, startHost: host.start }
    const running = runShell(options)
    const event = { preventDefault: vi.fn<() => void>() }
    electron.app.emit('open-url', event, INVITE)
    electron.ready.resolve()
    await running
    expect(event.preventDefault).toHaveBeenCalled()
    expect(electron.schemes).toEqual(['skein'])
    expect(electron.windows[0]?.loaded[0]).toContain(`to=add=${encodeURIComponent(INVITE)}`)
    electron.app.emit('open-url', event, 'javascript:alert(1)')
    expect(electron.windows[0]?.loaded).toHaveLength(1)
  })

  it('[DW10] the page stays where it is, opens nothing but https elsewhere, and may use what the interface needs', async () => {
    const [window, electron] = await started().then((each) => [each.electron.windows[0], each.electron] as const)
    expect([
      window?.navigates(`${ORIGIN}/#/chats`),
      window?.navigates('https://evil.example/'),
      window?.navigates('file:///etc/passwd'),
      window?.navigates('https://evil.example/', 'will-redirect'),
    ]).toEqual([true, false, false, false])
    for (const url of ['https://example.org/', 'file:///etc/passwd', 'javascript:alert(1)', 'smb://share'])
      expect(window?.openHandler({ url })).toEqual({ action: 'deny' })
    expect(electron.external).toEqual(['https://example.org/'])
    expect([window?.mayUse('media', `${ORIGIN}/`), window?.mayUse('media', 'https://evil.example/')]).toEqual([true, false])
    expect([window?.checkHandler({}, 'media', `${ORIGIN}/`), window?.checkHandler({}, 'geolocation', `${ORIGIN}/`)]).toEqual([true, false])
    expect(window?.checkHandler({}, 'media', 'https://evil.example/')).toBe(false)
    expect(window?.deviceHandler({})).toBe(false)
    expect(['geolocation', 'serial', 'hid', 'openExternal'].some((each) => window?.mayUse(each, `${ORIGIN}/`))).toBe(false)
  })

  it('[DW11] messages call while nobody looks, muted ones and own ones never, and a click leads there', async () => {
    const { electron, host } = await started()
    const [window] = electron.windows
    host.happens(incoming('seen in the window'))
    if (window !== undefined) window.hasFocus = false
    host.happens(incoming('muted', { muted: true }))
    host.happens(incoming('mine', { message: { direction: 'out', kind: 'text', text: 'mine' } }))
    host.happens(incoming('timer', { message: { direction: 'in', kind: 'timer', text: '' } }))
    expect(electron.notifications).toEqual([])
    host.happens(incoming(`\u202ehello\n${'x'.repeat(5_000)}`, { name: '\u202eBo' }))
    for (const [kind, text] of [
      ['contact', 'Cleo'],
      ['unknown', ''],
    ] as const)
      host.happens(incoming('', { message: { direction: 'in', kind, text } }))
    host.happens({ event: 'contact', contact: 'new', name: '', state: 'requested' })
    host.happens({ event: 'contact', contact: 'abc', name: 'Bo', state: 'accepted' })
    expect(electron.notifications.map(({ text }) => text)).toEqual([
      { title: 'Bo', body: `hello ${'x'.repeat(194)}` },
      { title: 'Bo', body: 'Contact: Cleo' },
      { title: 'Bo', body: 'Something that a newer version of Skein can show.' },
      { title: 'Skein', body: 'wants to become your contact' },
    ])
    electron.notifications[0]?.emit('click')
    expect(window?.loaded.at(-1)).toBe(`${ORIGIN}/#/chats/abc`)
  })

  it('[DW12] quitting stops the client first, whoever asks for it, and once', async () => {
    const { electron, host } = await started()
    electron.quit()
    electron.tray?.choose('Quit')
    host.stopRequested.resolve()
    await vi.waitFor(() => expect(electron.exitCode).toBe(0))
    expect([host.stops, host.listeners.size, electron.tray?.isGone]).toEqual([1, 0, true])
  })

  it('[DW13] starts with the session if the user wants it, and chooses files and folders', async () => {
    const { electron, shell, autoStart } = await started()
    electron.tray?.choose('Start with the system', true)
    expect(autoStart.on).toBe(true)
    expect([await shell.pickFiles(), await shell.pickFolder()]).toEqual([[], undefined])
    electron.picked = { canceled: false, filePaths: ['/a', '/b'] }
    expect([await shell.pickFiles(), await shell.pickFolder()]).toEqual([['/a', '/b'], '/a'])
  })

  it('speaks the language of the system, where it knows it', async () => {
    const [electron, host] = [new FakeElectron(), new FakeHost()]
    electron.locale = 'de-AT'
    electron.ready.resolve()
    await runShell({ electron: electron.parts, icon: '', autoStart: OFF, dataDir, invite: undefined, startHost: host.start })
    expect(electron.tray?.items.map(({ label }) => label)).toContain('Beenden')
  })
})
