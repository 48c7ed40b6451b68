/** Electron as a program beside this one: whether it is there, and how it is started. It is never fetched. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Runs inside Electron. */
const ENTRY = fileURLToPath(new URL('./electron.js', import.meta.url))

/** Path of an Electron that is installed; `SKEIN_ELECTRON` names another. The package itself may come without its binary. */
export function findElectron(env: NodeJS.ProcessEnv): string | undefined {
  return [env['SKEIN_ELECTRON'], installed()].find((path) => path !== undefined && existsSync(path))
}

/** Looked up and not required: requiring the package fetches what is missing. */
function installed(): string | undefined {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('electron/package.json'))
    return join(folder, 'dist', readFileSync(join(folder, 'path.txt'), 'utf8').trim())
  } catch {
    return undefined
  }
}

/** Resolves with its exit code when it has ended, 1 when it could not be started. @param args of this program, which are Electron's too */
export function runElectron(electron: string, args: readonly string[]): Promise<number> {
  const child = spawn(electron, [ENTRY, ...args], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal))
  return new Promise((resolve) => {
    child.once('error', () => resolve(1))
    child.once('exit', (code) => resolve(code ?? 1))
  })
}
