import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { findElectron, runElectron } from './electron-program.ts'

it.skipIf(process.platform === 'win32')(
  '[DW14] an Electron that is there runs the shell with the same arguments, and its exit code counts',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'skein-electron-'))
    try {
      const program = join(folder, 'electron')
      writeFileSync(program, '#!/bin/sh\nfor each in "$@"; do echo "$each"; done > "$(dirname "$0")/arguments"\nexit 7\n', { mode: 0o755 })
      const found = findElectron({ SKEIN_ELECTRON: program })
      expect(found).toBe(program)
      expect(await runElectron(found ?? '', ['--data-dir', 'a b'])).toBe(7)
      const [entry, ...rest] = readFileSync(join(folder, 'arguments'), 'utf8').trim().split('\n')
      expect([entry?.endsWith('electron.js'), rest]).toEqual([true, ['--data-dir', 'a b']])
      expect(findElectron({ SKEIN_ELECTRON: join(folder, 'none') })).not.toBe(join(folder, 'none'))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
)
