/** Where people look for what they have downloaded. */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** As the desktops of Linux have it in `user-dirs.dirs`; elsewhere, and where that says nothing, the folder of the usual name. */
export function downloadsFolder(env: NodeJS.ProcessEnv): string {
  const file = join(env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'user-dirs.dirs')
  const [, inHome, path] = /^XDG_DOWNLOAD_DIR="(\$HOME\/)?(.+)"/m.exec(textOf(file)) ?? []
  if (path === undefined) return join(homedir(), 'Downloads')
  return inHome === undefined ? path : join(homedir(), path)
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
