// `npm test`: the repository checks, then every test in one vitest run. The last line of stdout is always
// `N passed, N failed`, each check counting as one test. `--long` adds the *.long.test.ts files; anything else is
// handed to vitest, e.g. a path: `npm test -- packages/core`.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runChecks } from './checks/index.mjs'
import { ensureChromium, ensureNetworkTools } from './system-packages.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const report = join(root, '.vitest', 'results.json')

function runVitest(args, long) {
  rmSync(report, { force: true })
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const options = [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--reporter=${join(root, 'tools', 'second-tries.mjs')}`,
    `--outputFile.json=${report}`,
    ...args,
  ]
  // Clients of tests say nothing on the network that this machine happens to be in; the laboratory has networks of its own.
  const env = { ...process.env, SKEIN_LAN: 'false', ...(long ? { SKEIN_LONG_TESTS: '1' } : {}) }
  return spawnSync(process.execPath, [vitest, ...options], { cwd: root, env, stdio: 'inherit' }).status ?? 1
}

/** Counts single tests; a file that could not even be loaded counts as one failed test. */
function count() {
  const files = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')).testResults : []
  const tests = files.flatMap(({ assertionResults }) => assertionResults)
  const having = (...states) => tests.filter(({ status }) => states.includes(status))
  const unloadable = files.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
  )
  return {
    passed: having('passed').length,
    failed: having('failed').length + unloadable.length,
    skipped: having('skipped', 'pending', 'todo', 'disabled'),
  }
}

/** What makes a run fail although no test did. */
function complaints({ passed, failed, skipped }, status) {
  const found = []
  if (passed + failed === 0) found.push('No test ran.')
  else if (status !== 0 && failed === 0) found.push('vitest failed outside of any test.')
  // Elsewhere Linux's own tools are missing, and what needs them is left out.
  if (process.env.CI && process.platform === 'linux')
    found.push(...skipped.map(({ fullName }) => `Skipped, which CI does not allow: ${fullName}`))
  return found
}

const args = process.argv.slice(2)
ensureChromium()
ensureNetworkTools()
const checks = await runChecks(root)
const status = runVitest(
  args.filter((arg) => arg !== '--long'),
  args.includes('--long'),
)
const tests = count()
const extra = complaints(tests, status)
for (const sentence of extra) console.log(`✗ ${sentence}`)
const failed = checks.failed + tests.failed + extra.length
console.log(`${checks.passed + tests.passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
