/** A window of the Chromium family in app mode: no address bar, its own profile, and WebRTC, which system web views lack. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge', 'brave-browser']
const FIXED = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  '/Applications/Brave Browser.app/Contents/MacOS/Brave Browser',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
]

/** Path of an installed browser of the family; `SKEIN_CHROMIUM` names another. */
export function findChromium(env: NodeJS.ProcessEnv): string | undefined {
  const folders = (env['PATH'] ?? '').split(delimiter)
  const named = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)))
  return [env['SKEIN_CHROMIUM'], ...named, ...FIXED].find((path) => path !== undefined && existsSync(path))
}

/** Whether a window can be shown at all. */
export function hasDisplay(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): boolean {
  return platform === 'win32' || platform === 'darwin' || Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY'])
}

export interface ShellWindow {
  /** Its exit code when the browser has ended; nothing when it could not be started, or was killed. */
  readonly exited: Promise<number | undefined>
  close(): void
}

/** @param profile folder of the window's own browser profile */
export function openWindow(chromium: string, { url, profile }: { readonly url: string; readonly profile: string }): ShellWindow {
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const args = [`--app=${url}`, `--user-data-dir=${profile}`, '--class=skein', '--no-first-run', '--no-default-browser-check', ...sandbox]
  const child = spawn(chromium, args, { stdio: 'ignore' })
  const exited = new Promise<number | undefined>((resolve) => {
    child.once('exit', (code) => resolve(code ?? undefined))
    child.once('error', () => resolve(undefined))
  })
  return { exited, close: () => child.kill('SIGTERM') }
}
