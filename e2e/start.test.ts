import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { eventually, run } from './processes.ts'

const START = fileURLToPath(new URL('../tools/start.mjs', import.meta.url))

/** A browser that is there, and cannot show a window. */
function brokenBrowser(dir: string): string {
  const path = join(dir, 'chromium')
  writeFileSync(path, '#!/bin/sh\nexit 3\n', { mode: 0o755 })
  return path
}

/** Takes a port of the relay, if no other program has it already. */
async function takePort(): Promise<Server> {
  const server = createServer()
  const listening = once(server, 'listening')
  server.listen(8_080, '0.0.0.0')
  await listening.catch(() => undefined)
  return server
}

const OWN_LINK = /http:\/\/127\.0\.0\.1:\S+\/open\?t=\S+/

function startIn(dir: string, env: Readonly<Record<string, string>>) {
  const start = { SKEIN_START_DIR: dir, SKEIN_START_HOST: '127.0.0.1', SKEIN_ELECTRON: '', WAYLAND_DISPLAY: '', ...env }
  const program = spawn(process.execPath, [START], { env: { ...process.env, ...start }, stdio: ['ignore', 'pipe', 'ignore'] })
  const [said, ended] = [{ text: '' }, once(program, 'close') as Promise<[number]>]
  program.stdout.on('data', (part: Buffer) => (said.text += part.toString()))
  return { program, said, ended }
}

it('[DW23] npm start brings up relay and client with an invite and a link, and ends both, also when it is told to end twice', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'skein-start-'))
  const taken = await takePort()
  // Where there should be a window, and comes none, and where there can be none.
  const { program, said, ended } = startIn(dir, { SKEIN_CHROMIUM: brokenBrowser(dir), DISPLAY: ':99' })
  const opens = async (text: string): Promise<void> =>
    expect((await fetch(OWN_LINK.exec(text)?.[0] ?? '', { redirect: 'manual' })).status).toBe(302)
  try {
    await eventually('invite and link are there', () => said.text.includes('Another such link') && said.text.includes('bin/skein add'))
    const relay = /The relay: (http:\S+)/.exec(said.text)?.[1] ?? ''
    // As it was told to: it has others.
    expect(new URL(relay).hostname).toBe('127.0.0.1')
    expect((await fetch(`${relay}/relay.json`)).status).toBe(200)
    // A link opens the user's own client in a browser.
    await opens(said.text)
    const again = startIn(dir, { DISPLAY: '' })
    expect(await again.ended).toEqual([0, null])
    expect(said.text).toContain('Others are taken.')
    expect(again.said.text).toContain('started here already')
    await opens(again.said.text)
    // As often as it can be told while it is ending the others.
    const telling = setInterval(() => program.kill('SIGTERM'), 5)
    await ended.finally(() => clearInterval(telling))
    expect((await run(['--data-dir', join(dir, 'client'), 'status'])).code).toBe(4)
    await expect(fetch(`${relay}/relay.json`)).rejects.toThrow('fetch failed')
  } finally {
    taken.close()
    program.kill('SIGKILL')
    rmSync(dir, { recursive: true, force: true })
  }
})
