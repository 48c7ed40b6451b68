/**
 * Electron around a host: window, tray, notifications, file dialogs, links of the system, start with the session. What it
 * uses of Electron is handed in, so that it can be run without one; it decides nothing about messages itself.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type * as Electron from 'electron'
import { fragmentFor, maybeInvite } from '../command-line.ts'
import type { AutoStart } from './auto-start.ts'
import { callFor, type Happening } from './calls.ts'
import { sayNoStart, type Words, wordsFor } from './words.ts'

export type ElectronParts = Pick<typeof Electron, 'app' | 'BrowserWindow' | 'Tray' | 'Menu' | 'Notification' | 'dialog' | 'shell'>

export interface ShellHost {
  link(fragment?: string): string
  /** What happens in the client. The returned function ends it. */
  listen(listener: (happening: Happening) => void): () => void
  /** Resolves when the client wants to be stopped. */
  readonly stopRequested: Promise<void>
  stop(): Promise<void>
}

export interface ShellOptions {
  readonly electron: ElectronParts
  readonly icon: string
  readonly autoStart: AutoStart
  /** Of the client: one program for each. */
  readonly dataDir: string
  /** That this program was started with. */
  readonly invite: string | undefined
  /** Only the first program of a data directory starts it. */
  startHost(): Promise<ShellHost>
}

export interface DesktopShell {
  /** Paths that the user has chosen; empty when none. */
  pickFiles(): Promise<readonly string[]>
  /** A folder to keep files in; `undefined` when none was chosen. */
  pickFolder(): Promise<string | undefined>
  quit(): Promise<void>
}

/** `undefined`: another program shows the window, and has been told what this one was started with. */
export async function runShell(options: ShellOptions): Promise<DesktopShell | undefined> {
  const { app } = options.electron
  // What is one per user for Electron, the lock among it, is one per client here.
  const folder = join(options.dataDir, 'electron')
  // Electron refuses one that is not there.
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  app.setPath('userData', folder)
  // Not by its arguments: Electron tells them in another order, with what belongs to an option elsewhere.
  if (!app.requestSingleInstanceLock({ invite: options.invite })) {
    app.quit()
    return undefined
  }
  const shell = new ElectronShell(options)
  await shell.start()
  return shell
}

class ElectronShell implements DesktopShell {
  private readonly options: ShellOptions
  private host: ShellHost | undefined
  private window: Electron.BrowserWindow | undefined
  private tray: Electron.Tray | undefined
  private stopListening: () => void = () => undefined
  private quitting = false
  /** What was asked for before there was a host. */
  private wanted = ''

  constructor(options: ShellOptions) {
    this.options = options
  }

  async start(): Promise<void> {
    const { app } = this.options.electron
    app.setAsDefaultProtocolClient('skein')
    app.on('second-instance', (_event, _argv, _folder, given) => this.open(fragmentFor(inviteIn(given))))
    // macOS hands links over as events, also before it is ready.
    app.on('open-url', (event, url) => {
      event.preventDefault()
      this.open(fragmentFor(maybeInvite(url) ? url : undefined))
    })
    app.on('activate', () => this.open(''))
    // It goes on in the tray.
    app.on('window-all-closed', () => undefined)
    app.on('before-quit', (event) => this.onQuit(event))
    await app.whenReady()
    this.wanted ||= fragmentFor(this.options.invite)
    const host = await this.options.startHost().catch((error: unknown) => this.giveUp(error))
    if (host === undefined) return
    this.host = host
    this.stopListening = host.listen((happening) => this.call(happening))
    void host.stopRequested.then(() => this.quit())
    this.showTray()
    this.open(this.wanted)
  }

  /** Without a client there is nothing to show: whoever has no terminal sees why. */
  private giveUp(error: unknown): undefined {
    const { app, dialog } = this.options.electron
    dialog.showErrorBox('Skein', sayNoStart(this.words(), error))
    this.quitting = true
    app.exit(1)
    return undefined
  }

  async pickFiles(): Promise<readonly string[]> {
    const { canceled, filePaths } = await this.options.electron.dialog.showOpenDialog({ properties: ['openFile', 'multiSelections'] })
    return canceled ? [] : filePaths
  }

  async pickFolder(): Promise<string | undefined> {
    const { canceled, filePaths } = await this.options.electron.dialog.showOpenDialog({
      properties: ['openDirectory', 'createDirectory'],
    })
    return canceled ? undefined : filePaths[0]
  }

  /** Idempotent. */
  async quit(): Promise<void> {
    if (this.quitting) return
    this.quitting = true
    this.stopListening()
    this.tray?.destroy()
    await this.host?.stop()
    this.options.electron.app.exit(0)
  }

  /** The client is stopped first, whoever asks to quit. */
  private onQuit(event: Pick<Electron.Event, 'preventDefault'>): void {
    if (this.quitting) return
    event.preventDefault()
    void this.quit()
  }

  /** Shows the window, at `fragment` if there is one. */
  private open(fragment: string): void {
    if (this.host === undefined) {
      this.wanted = fragment || this.wanted
      return
    }
    const standing = this.window?.isDestroyed() === false ? this.window : undefined
    const link = this.host.link(fragment)
    this.window = standing ?? this.makeWindow(new URL(link).origin)
    // A window that stands goes there without loading its page anew.
    if (standing === undefined) void this.window.loadURL(link).catch(() => undefined)
    else if (fragment !== '') void standing.loadURL(new URL(`/#${fragment}`, link).href).catch(() => undefined)
    this.raise()
  }

  private raise(): void {
    const { window } = this
    if (window?.isMinimized() === true) window.restore()
    window?.show()
    window?.focus()
  }

  private makeWindow(origin: string): Electron.BrowserWindow {
    const { BrowserWindow: Window, shell } = this.options.electron
    const webPreferences = { contextIsolation: true, sandbox: true, nodeIntegration: false, webviewTag: false, spellcheck: false }
    const window = new Window({ width: 1_000, height: 720, minWidth: 360, minHeight: 480, icon: this.options.icon, webPreferences })
    const { webContents } = window
    const stay = (event: { readonly url: string; preventDefault(): void }): void => {
      if (URL.parse(event.url)?.origin !== origin) event.preventDefault()
    }
    webContents.on('will-navigate', stay)
    webContents.on('will-redirect', stay)
    webContents.setWindowOpenHandler(({ url }) => {
      if (URL.parse(url)?.protocol === 'https:') void shell.openExternal(url)
      return { action: 'deny' }
    })
    webContents.session.setPermissionRequestHandler((_contents, permission, answer, { requestingUrl }) =>
      answer(ALLOWED.has(permission) && URL.parse(requestingUrl)?.origin === origin),
    )
    // What is not asked for but looked up: without this, everything is granted.
    webContents.session.setPermissionCheckHandler((_contents, permission, asking) => ALLOWED.has(permission) && originOf(asking) === origin)
    webContents.session.setDevicePermissionHandler(() => false)
    return window
  }

  private showTray(): void {
    const { Tray: ElectronTray, Menu } = this.options.electron
    const { autoStart, icon } = this.options
    const words = this.words()
    const tray = new ElectronTray(icon)
    tray.setToolTip('Skein')
    tray.on('click', () => this.open(''))
    tray.setContextMenu(
      Menu.buildFromTemplate([
        { label: words.open, click: () => this.open('') },
        {
          label: words.autoStart,
          type: 'checkbox',
          checked: autoStart.isOn(),
          click: ({ checked }) => autoStart.set(checked),
        },
        { type: 'separator' },
        { label: words.quit, click: () => void this.quit() },
      ]),
    )
    this.tray = tray
  }

  private words(): Words {
    return wordsFor(this.options.electron.app.getLocale())
  }

  private call(happening: Happening): void {
    const { Notification: ElectronNotification } = this.options.electron
    const isLookedAt = this.window?.isDestroyed() === false && this.window.isFocused()
    const call = isLookedAt ? undefined : callFor(happening, this.words())
    if (call === undefined || !ElectronNotification.isSupported()) return
    const { fragment, ...text } = call
    const notification = new ElectronNotification(text)
    notification.on('click', () => this.open(fragment))
    notification.show()
  }
}

/** What another start has handed over. */
function inviteIn(given: unknown): string | undefined {
  const invite = typeof given === 'object' && given !== null && 'invite' in given ? given.invite : undefined
  return typeof invite === 'string' ? invite : undefined
}

const originOf = (url: string): string | undefined => URL.parse(url)?.origin

/** What the page may ask for: the camera for QR codes, notifications, copying. */
const ALLOWED: ReadonlySet<string> = new Set([
  'media',
  'notifications',
  'clipboard-sanitized-write',
  'clipboard-read',
  'persistent-storage',
])
