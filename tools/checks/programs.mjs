// The checks that other programs make. Each runs with this Node.js on the program's own script, so that no shell and no
// PATH is involved, and reports the program's whole output as one problem.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))

/** @returns {string[]} nothing, or the output of the failed program */
function run(root, script, args) {
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' }
  const done = spawnSync(process.execPath, [join(modules, script), ...args], {
    cwd: root,
    env,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  if (done.status === 0) return []
  return [`${done.stdout ?? ''}${done.stderr ?? ''}${done.error?.message ?? ''}`.trim() || `${script} failed without a word.`]
}

/** Format and lint. @param {{ fix?: boolean }} [options] fix: write what can be mended */
export function biome(root, { fix = false } = {}) {
  return run(root, '@biomejs/biome/bin/biome', [
    'check',
    '--error-on-warnings',
    '--max-diagnostics=50',
    '--colors=off',
    ...(fix ? ['--write'] : []),
  ])
}

export function oxlint(root, { fix = false } = {}) {
  return run(root, 'oxlint/bin/oxlint', ['--deny-warnings', ...(fix ? ['--fix'] : [])])
}

/** Lock 1 of 4: imports that leave a package, undeclared dependencies, forbidden directions. */
export const packageBoundaries = (root) => run(root, 'turbo/bin/turbo', ['boundaries', '--no-color'])

/** Test files are no part of any build; without this nothing would check their types. */
export const testTypes = (root) => run(root, 'typescript/bin/tsc', ['-p', 'tsconfig.tests.json', '--pretty', 'false'])
