// Puts a built relay into one folder that runs and installs by itself: Node.js, bundle, native packages, web client, defaults,
// install script. `npm run pack-relay -- FOLDER`, or `-- FILE.tar.gz` for another machine of this kind; both build first.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const relay = join(root, 'apps', 'relay')
/** With native code; everything else is in the bundle. */
const NATIVE = ['better-sqlite3', 'node-datachannel', '@chainsafe/libp2p-quic']
/** Sources of native code, which a built package does not need. */
const LEFT_OUT = /[\\/](deps|src|binding\.gyp|.*\.md)$/

const [wanted] = process.argv.slice(2)
if (wanted === undefined) fail('name the folder or the .tar.gz file to be made')
const isArchive = wanted.endsWith('.tar.gz')
const scratch = isArchive ? mkdtempSync(join(tmpdir(), 'skein-pack-')) : undefined
const target = scratch === undefined ? wanted : join(scratch, 'skein-relay')
if (!existsSync(join(relay, 'bundle', 'main.js'))) fail('the relay is not built; use npm run pack-relay')

rmSync(target, { recursive: true, force: true })
mkdirSync(join(target, 'app'), { recursive: true })
cpSync(join(relay, 'bundle'), join(target, 'app', 'bundle'), { recursive: true })
const web = join(root, 'apps', 'web', 'out')
if (existsSync(join(web, 'index.html'))) cpSync(web, join(target, 'app', 'web'), { recursive: true })
const done = new Set()
for (const name of NATIVE) copyPackage(name, relay)
cpSync(realpathSync(join(root, '.toolchain', 'node')), join(target, 'node'))
for (const name of ['defaults.env', 'skein-relay.service', 'operator-command.sh'])
  cpSync(join(root, 'infra', 'relay', name), join(target, name))
cpSync(join(root, 'infra', 'install.sh'), join(target, 'install.sh'))
mkdirSync(join(target, 'docs'))
cpSync(join(root, 'docs', 'operations.md'), join(target, 'docs', 'operations.md'))
const { name, version } = JSON.parse(readFileSync(join(relay, 'package.json'), 'utf8'))
writeFileSync(join(target, 'app', 'package.json'), `${JSON.stringify({ name, version, type: 'module' })}\n`)
writeScript('skein-relay', 'here=$(dirname "$(readlink -f "$0")")\nexec "$here/node" "$here/app/bundle/main.js" "$@"\n')
if (scratch !== undefined) archive(scratch)

function writeScript(file, body) {
  writeFileSync(join(target, file), `#!/bin/sh\n${body}`)
  // The mode of writeFileSync is narrowed by the umask.
  chmodSync(join(target, file), 0o755)
}

function archive(folder) {
  const { status } = spawnSync('tar', ['-czf', wanted, '-C', folder, 'skein-relay'], { stdio: ['ignore', 2, 2] })
  rmSync(folder, { recursive: true, force: true })
  if (status !== 0) fail(`tar could not write ${wanted}`)
}

/** A package and what it needs, flat beside each other as npm would lay them. */
function copyPackage(name, from) {
  if (done.has(name)) return
  const folder = find(name, from)
  if (folder === undefined) return
  done.add(name)
  const place = join(target, 'app', 'node_modules', name)
  mkdirSync(dirname(place), { recursive: true })
  cpSync(folder, place, { recursive: true, filter: (path) => !path.startsWith(folder) || !LEFT_OUT.test(path.slice(folder.length)) })
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  for (const each of Object.keys({ ...dependencies, ...optionalDependencies })) copyPackage(each, folder)
}

/** Where Node.js would find it; nothing for an optional package of another platform. */
function find(name, from) {
  const paths = createRequire(join(from, 'package.json')).resolve.paths(name) ?? []
  const found = paths.map((path) => join(path, name)).find((path) => existsSync(join(path, 'package.json')))
  return found === undefined ? undefined : realpathSync(found)
}

function fail(text) {
  process.stderr.write(`pack: ${text}\n`)
  process.exit(1)
}
