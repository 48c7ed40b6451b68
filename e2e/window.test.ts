/** The desktop program where its window cannot be opened. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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
