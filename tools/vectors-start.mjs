// Behind `npm run vectors`: builds what the vectors run through, with all output of the build on stderr, then runs them.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const turbo = join(root, 'node_modules', 'turbo', 'bin', 'turbo')
const chosen = join(root, '.toolchain', 'node-path')

if (!existsSync(turbo) || !existsSync(chosen)) {
  process.stderr.write('skein: nothing is installed yet; run `npm test` or `npm start` once\n')
  process.exit(1)
}

/** The Node.js that every other command runs on; tools/run.mjs wrote its path. */
const node = readFileSync(chosen, 'utf8')
const env = {
  ...process.env,
  PATH: [dirname(node), join(root, '.toolchain', 'node_modules', '.bin'), process.env.PATH ?? process.env.Path ?? ''].join(delimiter),
  TURBO_TELEMETRY_DISABLED: '1',
  TURBO_NO_UPDATE_NOTIFIER: '1',
}
const build = [turbo, 'run', 'build', '--filter=@skein/node', '--output-logs=errors-only', '--log-order=grouped']
if (spawnSync(node, build, { cwd: root, env, stdio: ['ignore', 2, 2] }).status !== 0) {
  process.stderr.write('skein: build failed\n')
  process.exit(1)
}
const done = spawnSync(node, [join(root, 'tools', 'vectors.mjs'), ...process.argv.slice(2)], { env, stdio: 'inherit' })
process.exit(done.status ?? 1)
