import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { linuxAutoStart } from './auto-start.ts'

it('[DW13] on Linux an entry of the session starts the program, whatever its path holds', () => {
  const folder = mkdtempSync(join(tmpdir(), 'skein-autostart-'))
  try {
    const autoStart = linuxAutoStart({ XDG_CONFIG_HOME: folder }, ['/opt/My "Apps"/skein', '--data-dir', '/data/100% $HOME\\x'])
    expect(autoStart.isOn()).toBe(false)
    autoStart.set(true)
    const exec = readFileSync(join(folder, 'autostart', 'skein.desktop'), 'utf8').match(/^Exec=(.*)$/m)?.[1]
    expect([autoStart.isOn(), exec]).toEqual([true, String.raw`"/opt/My \\"Apps\\"/skein" "--data-dir" "/data/100%% \\$HOME\\\\x"`])
    autoStart.set(false)
    autoStart.set(false)
    expect(autoStart.isOn()).toBe(false)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
