/** Starting with the user's session on Linux: an entry in the folder that desktops read (freedesktop.org, Autostart Specification). */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

export interface AutoStart {
  isOn(): boolean
  set(on: boolean): void
}

/** @param command the program with its arguments */
export function linuxAutoStart(env: NodeJS.ProcessEnv, command: readonly string[]): AutoStart {
  const folder = join(env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'autostart')
  const file = join(folder, 'skein.desktop')
  return {
    isOn: () => existsSync(file),
    set: (on) => {
      if (!on) return rmSync(file, { force: true })
      mkdirSync(folder, { recursive: true })
      writeFileSync(file, entryFor(command))
    },
  }
}

function entryFor(command: readonly string[]): string {
  return `[Desktop Entry]\nType=Application\nName=Skein\nExec=${command.map(quoted).join(' ')}\nTerminal=false\n`
}

/** Desktop Entry Specification, "The Exec key": what a shell or a field code would mean otherwise is escaped. */
function quoted(part: string): string {
  return `"${part
    .replaceAll(/["`$\\]/g, (sign) => `\\${sign}`)
    .replaceAll('\\', '\\\\')
    .replaceAll('%', '%%')}"`
}
