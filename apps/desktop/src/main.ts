/** `skein-desktop`: the client with a window. Electron if it is there, else a browser of the Chromium family, else a link. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isSkeinError } from '@skein/core'
import { systemClock } from '@skein/node/host'
import { type DesktopOptions, fragmentFor, parseCommandLine } from './command-line.ts'
import { type Host, startHost } from './host.ts'
import { findRunning, type Running } from './instance.ts'
import { windowEnded } from './open-windows.ts'
import { findChromium, hasDisplay, openWindow, type ShellWindow } from './shell/chromium.ts'
import { findElectron, runElectron } from './shell/electron-program.ts'
import { sayInWindow } from './shell/say-in-window.ts'
import { sayNoStart, wordsFor } from './shell/words.ts'

const STOP_WITHIN_MS = 5_000
/** For a program that has the data directory to say where it is: one that was started by the same double click. */
const ANNOUNCED_WITHIN_MS = 5_000
const LOOK_EVERY_MS = 250

async function run(options: DesktopOptions): Promise<number> {
  const { dataDir, window } = options
  const fragment = fragmentFor(options.invite)
  const running = await findRunning(dataDir, fragment)
  const electron = window && hasDisplay(process.env, process.platform) ? findElectron(process.env) : undefined
  // A running Electron opens the window itself, as soon as a second one says so.
  if (running !== undefined && (running.shell !== 'electron' || electron === undefined)) return showAnother(running.link, options)
  if (electron !== undefined && (await runOrFail(electron))) return 0
  const host = await startOrFind(options)
  if ('shell' in host) return showAnother(host.link, options)
  const shown = show(host.link(fragment), options)
  await Promise.race([host.stopRequested, signalled(), ...(shown === undefined ? [] : [closed(shown, host, options)])])
  setTimeout(() => process.exit(0), STOP_WITHIN_MS).unref()
  shown?.close()
  await host[Symbol.asyncDispose]()
  return 0
}

/** The host; or, where another has been started just before and is not announced yet, that one. @throws what `startHost` throws */
async function startOrFind(options: DesktopOptions): Promise<Host | Running> {
  try {
    return await startHost(options, 'link')
  } catch (error) {
    if (!isSkeinError(error) || error.code !== 'STORE_LOCKED') throw error
    for (const end = systemClock.monotonic() + ANNOUNCED_WITHIN_MS; systemClock.monotonic() < end; await sleep(LOOK_EVERY_MS)) {
      const running = await findRunning(options.dataDir, fragmentFor(options.invite))
      if (running !== undefined) return running
    }
    throw error
  }
}

/** @returns whether Electron has done its work; where it has failed, the next kind of window is tried */
async function runOrFail(electron: string): Promise<boolean> {
  const told = signalled().then(() => true)
  const code = await runElectron(electron, process.argv.slice(2))
  if (code === 0 || (await Promise.race([told, false]))) return true
  process.stderr.write(`skein-desktop: Electron has failed (${code}); trying without it.\n`)
  return false
}

/** Resolves when the window has been closed; where there came none, a link takes its place, and lasts. */
async function closed({ exited }: ShellWindow, { windows, link }: Host, options: DesktopOptions): Promise<void> {
  if (await windowEnded(exited, windows, systemClock)) return
  sayNoWindow(link(fragmentFor(options.invite)), options)
  await new Promise(() => undefined)
}

/** Of a program that runs already. */
async function showAnother(link: string, options: DesktopOptions): Promise<number> {
  const shown = show(link, options)
  if (shown !== undefined && (await shown.exited) !== 0) sayNoWindow(link, options)
  return 0
}

function sayNoWindow(url: string, { json }: DesktopOptions): void {
  if (json) process.stdout.write(`${JSON.stringify({ event: 'no-window', url })}\n`)
  else process.stdout.write(`No window could be opened. ${byLink(url)}`)
}

const byLink = (url: string): string => `Open this link in a browser on this machine; it works once:\n${url}\n`

/** A window if there can be one; else the link, for a browser. */
function show(url: string, { dataDir, window, json }: DesktopOptions): ShellWindow | undefined {
  const chromium = window && hasDisplay(process.env, process.platform) ? findChromium(process.env) : undefined
  if (json) process.stdout.write(`${JSON.stringify({ event: 'ready', url, window: chromium !== undefined })}\n`)
  else if (chromium === undefined) process.stdout.write(byLink(url))
  return chromium === undefined ? undefined : openWindow(chromium, { url, profile: join(dataDir, 'window') })
}

function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve())
  })
}

/** Whoever has no terminal before him sees it in a window, if there can be one. */
async function sayWhere(error: unknown, { dataDir, window }: DesktopOptions): Promise<void> {
  // On Windows the console of a program with a window is out of sight.
  if (!window || (process.stderr.isTTY && process.platform !== 'win32')) return
  const chromium = hasDisplay(process.env, process.platform) ? findChromium(process.env) : undefined
  const text = sayNoStart(wordsFor(Intl.DateTimeFormat().resolvedOptions().locale), error)
  if (chromium !== undefined) await sayInWindow(chromium, { text, profile: join(dataDir, 'window') })
}

const options = parseCommandLine(process.argv.slice(2))
try {
  process.exit(await run(options))
} catch (error) {
  if (!isSkeinError(error)) throw error
  if (options.json) process.stdout.write(`${JSON.stringify({ error: { code: error.code, message: error.message } })}\n`)
  else process.stderr.write(`skein-desktop: ${error.message}\n`)
  if (!options.json) await sayWhere(error, options)
  process.exit(1)
}
