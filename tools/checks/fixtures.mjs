// Tiny repositories in temporary folders, for showing that each check can fail.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repository = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Writes a repository that is removed when it goes out of scope.
 * @param {Record<string, string>} files path → content
 * @param {string[]} [copied] files of the real repository that it also has
 */
export function fixture(files, copied = []) {
  const root = mkdtempSync(join(tmpdir(), 'skein-check-'))
  for (const file of copied) cpSync(join(repository, file), join(root, file))
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
  }
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) }
}
