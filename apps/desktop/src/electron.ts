/** Runs inside Electron: the same client and server as everywhere, with Electron's window around them. */
import { join } from 'node:path'
import * as electron from 'electron'
import { parseCommandLine, startAgain } from './command-line.ts'
import { interfaceFolder, startHost } from './host.ts'
import { type AutoStart, linuxAutoStart } from './shell/auto-start.ts'
import { runShell, type ShellHost } from './shell/electron-shell.ts'

/** Electron's own arguments come first: the program, and in a checkout the script. */
const own = electron.app.isPackaged ? 1 : 2
const options = parseCommandLine(process.argv.slice(own), { switches: true })

async function hostForShell(): Promise<ShellHost> {
  const host = await startHost(options, 'electron')
  if (options.json) process.stdout.write(`${JSON.stringify({ event: 'ready', url: host.link(), window: true })}\n`)
  return {
    link: (fragment) => host.link(fragment),
    listen: (listener) =>
      host.listen((happening) => {
        if (happening.event === 'message' || happening.event === 'contact') listener(happening)
      }),
    stopRequested: host.stopRequested.catch((error: unknown) => void process.stderr.write(`skein-desktop: ${String(error)}\n`)),
    stop: async () => {
      await host[Symbol.asyncDispose]()
    },
  }
}

const again = startAgain(options, { program: process.argv.slice(0, own), appImage: process.env['APPIMAGE'] })

/** Electron knows how on macOS and Windows. */
const ownAutoStart: AutoStart = {
  isOn: () => electron.app.getLoginItemSettings({ args: again.slice(1) }).openAtLogin,
  set: (openAtLogin) => electron.app.setLoginItemSettings({ openAtLogin, args: again.slice(1) }),
}

await runShell({
  electron,
  icon: join(interfaceFolder(), 'icon-512.png'),
  autoStart: process.platform === 'linux' ? linuxAutoStart(process.env, again) : ownAutoStart,
  dataDir: options.dataDir,
  invite: options.invite,
  startHost: hostForShell,
})
