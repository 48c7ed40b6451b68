/** The packages of the desktop program that can be made and run on Linux. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'

const PACKAGE = fileURLToPath(new URL('../infra/packaging/package.mjs', import.meta.url))
const WITHIN_MS = 600_000
const skipped = process.platform !== 'linux' || process.arch !== 'x64'

let folder: string
let made: readonly string[] = []
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'skein-packages-'))
  if (skipped) return
  const { stdout, stderr } = spawnSync(process.execPath, [PACKAGE, 'linux', 'deb', '--out', folder], { encoding: 'utf8' })
  made = stdout.trim().split('\n')
  if (made.length !== 2) throw new Error(`not made: ${stderr}`)
}, WITHIN_MS)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Served {
  readonly page: string
  readonly api: string
  readonly exitCode: number | null
}

/** What becomes of a window's way to its client: `open` only when that runs. */
async function reach(url: string, session: string): Promise<string> {
  const socket = new WebSocket(new URL('/api', url.replace(/^http/, 'ws')), ['skein', session])
  const outcome = await Promise.race(['open', 'error'].map((type) => once(socket, type).then(() => type)))
  socket.close()
  return outcome
}

/** Starts the program, gets a window's page and its way to the client from it, and ends it. */
async function serves(command: string, args: readonly string[]): Promise<Served> {
  const env = { ...process.env, XDG_CACHE_HOME: join(folder, 'cache'), SKEIN_LAN: 'false' }
  const program = spawn(command, [...args, '--no-window', '--json', '--data-dir', join(folder, 'data')], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const [line] = await once(createInterface({ input: program.stdout }), 'line')
    const { url } = JSON.parse(String(line)) as { readonly url: string }
    const { status, headers } = await fetch(url, { redirect: 'manual' })
    const session = new URLSearchParams(headers.get('location')?.split('#')[1]).get('session') ?? ''
    const page = await fetch(new URL('/', url))
    const api = `${await reach(url, 'guessed')} ${await reach(url, session)}`
    const text = `${status} ${page.status} ${await page.text()}`
    program.kill('SIGTERM')
    if (program.exitCode === null) await once(program, 'exit')
    return { page: text, api, exitCode: program.exitCode }
  } finally {
    program.kill('SIGKILL')
  }
}

const SERVED = { page: expect.stringMatching(/^302 200 [\s\S]*Skein/), api: 'error open', exitCode: 0 }

it.skipIf(skipped)(
  '[DW15] the single executable runs with nothing beside it, a second time from what it has laid out',
  { timeout: WITHIN_MS },
  async () => {
    const [executable = ''] = made
    expect(await serves(executable, [])).toEqual(SERVED)
    expect(await serves(executable, [])).toEqual(SERVED)
  },
)

it.skipIf(skipped)(
  '[DW15] the Debian package holds program, commands and link handler, and its program runs',
  { timeout: WITHIN_MS },
  async () => {
    const root = join(folder, 'deb')
    expect(spawnSync('dpkg-deb', ['--extract', made[1] ?? '', root]).status).toBe(0)
    const listed = spawnSync('dpkg-deb', ['--contents', made[1] ?? ''], { encoding: 'utf8' }).stdout
    // What Node.js is linked with.
    const needs = spawnSync('dpkg-deb', ['--field', made[1] ?? '', 'Depends'], { encoding: 'utf8' }).stdout
    expect(needs.trim().split(', ')).toEqual(['libc6', 'libstdc++6', 'libatomic1'])
    for (const path of ['./usr/bin/skein-desktop', './usr/bin/skein', './usr/share/applications/skein.desktop'])
      expect(listed).toMatch(new RegExp(`^-rw[x-]\\S+ root/root .* ${path}$`, 'm'))
    const node = join(root, 'usr/lib/skein/node')
    expect(await serves(node, [join(root, 'usr/lib/skein/bundle/main.js')])).toEqual(SERVED)
    const { status, stdout } = spawnSync(node, [join(root, 'usr/lib/skein/cli/main.js'), '--help'], { encoding: 'utf8' })
    expect([status, stdout]).toEqual([0, expect.stringContaining('Usage: skein')])
  },
)
