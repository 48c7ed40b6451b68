/** The desktop program where its window cannot be opened. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { eventually } from './processes.ts'

const DESKTOP = fileURLToPath(new URL('../apps/desktop/bundle/main.js', import.meta.url))

it.skipIf(process.platform === 'win32')(
  '[DW14] [DW20] an Electron and a browser that cannot show a window leave the program running, with a link',
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'skein-window-'))
    const chromium = join(dir, 'chromium')
    writeFileSync(chromium, '#!/bin/sh\nexit 3\n', { mode: 0o755 })
    // Nor can an Electron: every shell is tried in its turn.
    const env = { ...process.env, SKEIN_CHROMIUM: chromium, SKEIN_ELECTRON: chromium, DISPLAY: ':99' }
    const program = spawn(process.execPath, [DESKTOP, '--data-dir', join(dir, 'data')], { env, stdio: ['ignore', 'pipe', 'ignore'] })
    const ended = once(program, 'exit')
    let said = ''
    program.stdout.on('data', (part: Buffer) => (said += part.toString()))
    try {
      await eventually('the link is printed', () => said.includes('/open?t='))
      const link = /http:\/\/127\.0\.0\.1:\S+\/open\?t=\S+/.exec(said)?.[0] ?? ''
      expect((await fetch(link, { redirect: 'manual' })).status).toBe(302)
      program.kill('SIGTERM')
      expect((await ended)[0]).toBe(0)
    } finally {
      program.kill('SIGKILL')
      rmSync(dir, { recursive: true, force: true })
    }
  },
)

it.skipIf(process.platform === 'win32')('[DW21] a client that cannot start is said in a window where there is no terminal', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'skein-window-'))
  const chromium = join(dir, 'chromium')
  writeFileSync(chromium, '#!/bin/sh\necho "$1" > "$(dirname "$0")/shown"\n', { mode: 0o755 })
  writeFileSync(join(dir, 'config.json'), '{"nothing":"of the kind"}')
  try {
    const env = { ...process.env, SKEIN_CHROMIUM: chromium, SKEIN_ELECTRON: '', DISPLAY: ':99' }
    const program = spawn(process.execPath, [DESKTOP, '--data-dir', dir], { env, stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    program.stderr.on('data', (part: Buffer) => (said += part.toString()))
    expect((await once(program, 'close'))[0]).toBe(1)
    const [, message = 'nothing was said'] = /^skein-desktop: (.*)/.exec(said) ?? []
    expect(readFileSync(join(dir, 'shown'), 'utf8')).toContain(encodeURIComponent(message))
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})

it('[DW6] of two that are started at the same time one runs, and both show the way to it', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'skein-window-'))
  const start = () => {
    const args = [DESKTOP, '--data-dir', dir, '--no-window', '--json']
    const program = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
    const said = { text: '' }
    program.stdout.on('data', (part: Buffer) => (said.text += part.toString()))
    return { program, said, ended: once(program, 'exit') }
  }
  const both = [start(), start()]
  try {
    await eventually('both have said where', () => both.every(({ said }) => said.text.includes('\n')))
    const links = both.map(({ said }) => JSON.parse(said.text) as { readonly event?: string; readonly url?: string })
    expect(links.map(({ event }) => event)).toEqual(['ready', 'ready'])
    for (const { url = '' } of links) expect((await fetch(url, { redirect: 'manual' })).status).toBe(302)
    for (const { program } of both) program.kill('SIGTERM')
    await Promise.all(both.map(({ ended }) => ended))
  } finally {
    for (const { program } of both) program.kill('SIGKILL')
    rmSync(dir, { recursive: true, force: true })
  }
})
