/** Where people look for what they have downloaded. */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'

/**
 * As the desktops of Linux have it in `user-dirs.dirs`; elsewhere, and where that names none, the folder of the usual name:
 * the home itself stands there for a folder that somebody removed, and what is not absolute counts for nothing.
 */
export function downloadsFolder(env: NodeJS.ProcessEnv): string {
  const file = join(env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'user-dirs.dirs')
  const [, named = ''] = /^XDG_DOWNLOAD_DIR="([^"\n]*)"/m.exec(textOf(file)) ?? []
  const path = named.replace(/^\$HOME(?=\/|$)/, () => homedir())
  const isNamed = isAbsolute(path) && resolve(path) !== resolve(homedir())
  return isNamed ? path : join(homedir(), 'Downloads')
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
