/** As much of Electron as the shell uses, in memory: what was shown, and hands that click. Only for tests. */
import { EventEmitter } from 'node:events'
import { existsSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import type { ElectronParts } from './electron-shell.ts'

interface MenuItem {
  readonly label?: string
  readonly checked?: boolean
  click?(item: { readonly checked: boolean }): void
}

class FakeWindow extends EventEmitter {
  readonly loaded: string[] = []
  readonly options: Readonly<Record<string, unknown>>
  isDown = false
  hasFocus = true
  openHandler: (details: { readonly url: string }) => { readonly action: string } = () => ({ action: 'allow' })
  permissionHandler: (contents: unknown, permission: string, answer: (allowed: boolean) => void, details: object) => void = () => undefined
  checkHandler: (contents: unknown, permission: string, asking: string) => boolean = () => true
  deviceHandler: (details: object) => boolean = () => true
  readonly webContents = Object.assign(new EventEmitter(), {
    setWindowOpenHandler: (handler: FakeWindow['openHandler']) => (this.openHandler = handler),
    session: {
      setPermissionRequestHandler: (handler: FakeWindow['permissionHandler']) => (this.permissionHandler = handler),
      setPermissionCheckHandler: (handler: FakeWindow['checkHandler']) => (this.checkHandler = handler),
      setDevicePermissionHandler: (handler: FakeWindow['deviceHandler']) => (this.deviceHandler = handler),
    },
  })

  constructor(options: Readonly<Record<string, unknown>>) {
    super()
    this.options = options
    FakeElectron.current.windows.push(this)
  }

  async loadURL(url: string): Promise<void> {
    this.loaded.push(url)
  }

  isDestroyed(): boolean {
    return this.isDown
  }

  isFocused(): boolean {
    return this.hasFocus
  }

  isMinimized(): boolean {
    return false
  }

  show(): void {
    this.hasFocus = true
  }

  focus(): void {
    this.hasFocus = true
  }

  restore(): void {
    this.hasFocus = true
  }

  /** As somebody who closes it. */
  close(): void {
    this.isDown = true
    FakeElectron.current.app.emit('window-all-closed')
  }

  /** Whether the page may go there. */
  navigates(url: string, how: 'will-navigate' | 'will-redirect' = 'will-navigate'): boolean {
    let prevented = false
    this.webContents.emit(how, { url, preventDefault: () => (prevented = true) })
    return !prevented
  }

  mayUse(permission: string, requestingUrl: string): boolean {
    let allowed = false
    this.permissionHandler({}, permission, (answer) => (allowed = answer), { requestingUrl })
    return allowed && this.checkHandler({}, permission, requestingUrl)
  }
}

class FakeNotification extends EventEmitter {
  readonly text: { readonly title: string; readonly body: string }

  constructor(text: FakeNotification['text']) {
    super()
    this.text = text
  }

  static isSupported(): boolean {
    return true
  }

  show(): void {
    FakeElectron.current.notifications.push(this)
  }
}

class FakeTray extends EventEmitter {
  items: readonly MenuItem[] = []
  isGone = false

  constructor() {
    super()
    FakeElectron.current.tray = this
  }

  setToolTip(): void {
    this.emit('tool-tip')
  }

  setContextMenu(items: readonly MenuItem[]): void {
    this.items = items
  }

  destroy(): void {
    this.isGone = true
  }

  choose(label: string, checked = false): void {
    this.items.find((each) => each.label === label)?.click?.({ checked })
  }
}

export class FakeElectron {
  /** Windows and the like are made by classes, which know no instance. */
  static current: FakeElectron
  readonly windows: FakeWindow[] = []
  readonly notifications: FakeNotification[] = []
  readonly external: string[] = []
  readonly schemes: string[] = []
  tray: FakeTray | undefined
  isFirst = true
  locale = 'en-GB'
  /** To the program that runs already. */
  handed: object = {}
  readonly order: string[] = []
  readonly errors: string[] = []
  exitCode: number | undefined
  picked: { readonly canceled: boolean; readonly filePaths: readonly string[] } = { canceled: true, filePaths: [] }
  readonly ready = Promise.withResolvers<void>()
  readonly app = Object.assign(new EventEmitter(), {
    requestSingleInstanceLock: (handed: object) => {
      this.handed = handed
      this.order.push('lock')
      return this.isFirst
    },
    setPath: (name: string, path: string) => {
      if (!isAbsolute(path) || !existsSync(path)) throw new Error(`Failed to set path: ${path}`)
      this.order.push(`${name} ${path}`)
    },
    setAsDefaultProtocolClient: (scheme: string) => this.schemes.push(scheme),
    whenReady: () => this.ready.promise,
    getLocale: () => this.locale,
    quit: () => this.quit(),
    exit: (code: number) => (this.exitCode = code),
  })

  constructor() {
    FakeElectron.current = this
  }

  get parts(): ElectronParts {
    const parts = {
      app: this.app,
      BrowserWindow: FakeWindow,
      Tray: FakeTray,
      Notification: FakeNotification,
      Menu: { buildFromTemplate: (items: readonly MenuItem[]) => items },
      dialog: { showOpenDialog: async () => this.picked, showErrorBox: (_title: string, text: string) => this.errors.push(text) },
      shell: { openExternal: async (url: string) => void this.external.push(url) },
    }
    return parts as unknown as ElectronParts
  }

  /** As Electron does it: whoever listens may prevent it. */
  quit(): void {
    let prevented = false
    this.app.emit('before-quit', { preventDefault: () => (prevented = true) })
    if (!prevented) this.exitCode ??= 0
  }
}
