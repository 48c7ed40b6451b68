import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { eventually, run } from './processes.ts'

const START = fileURLToPath(new URL('../tools/start.mjs', import.meta.url))

it('npm start brings up relay and client with an invite, and ends both, also when it is told to end twice', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'skein-start-'))
  const env = { ...process.env, SKEIN_START_DIR: dir, SKEIN_START_PORTS: 'any', DISPLAY: '', WAYLAND_DISPLAY: '' }
  const program = spawn(process.execPath, [START], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = once(program, 'exit')
  let said = ''
  program.stdout.on('data', (part: Buffer) => (said += part.toString()))
  try {
    await eventually('invite and link are there', () => said.includes('Another such link'))
    const relay = /The relay: (http:\S+)/.exec(said)?.[1] ?? ''
    expect((await fetch(`${relay}/relay.json`)).status).toBe(200)
    // Without a display, a link opens the user's own client in a browser.
    const link = /http:\/\/127\.0\.0\.1:\S+\/open\?t=\S+/.exec(said)?.[0] ?? ''
    expect((await fetch(link, { redirect: 'manual' })).status).toBe(302)
    // As often as it can be told while it is ending the others.
    const telling = setInterval(() => program.kill('SIGTERM'), 5)
    await ended.finally(() => clearInterval(telling))
    expect((await run(['--data-dir', join(dir, 'client'), 'status'])).code).toBe(4)
    await expect(fetch(`${relay}/relay.json`)).rejects.toThrow('fetch failed')
  } finally {
    program.kill('SIGKILL')
    rmSync(dir, { recursive: true, force: true })
  }
})
