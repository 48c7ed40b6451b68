// Puts a built relay into one folder that runs by itself: Node.js, bundle, native packages, web client, defaults.
// `npm run pack-relay -- FOLDER`, which builds everything first.
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const relay = join(root, 'apps', 'relay')
/** With native code; everything else is in the bundle. */
const NATIVE = ['better-sqlite3', 'node-datachannel', '@chainsafe/libp2p-quic']
/** Sources of native code, which a built package does not need. */
const LEFT_OUT = /[\\/](deps|src|binding\.gyp|.*\.md)$/

const [target] = process.argv.slice(2)
if (target === undefined) fail('name the folder to be made')
if (!existsSync(join(relay, 'bundle', 'main.js'))) fail('the relay is not built; use npm run pack-relay')

rmSync(target, { recursive: true, force: true })
mkdirSync(join(target, 'app'), { recursive: true })
cpSync(join(relay, 'bundle'), join(target, 'app', 'bundle'), { recursive: true })
const web = join(root, 'apps', 'web', 'out')
if (existsSync(join(web, 'index.html'))) cpSync(web, join(target, 'app', 'web'), { recursive: true })
const done = new Set()
for (const name of NATIVE) copyPackage(name, relay)
cpSync(realpathSync(join(root, '.toolchain', 'node')), join(target, 'node'))
cpSync(join(root, 'infra', 'relay', 'defaults.env'), join(target, 'defaults.env'))
mkdirSync(join(target, 'docs'))
cpSync(join(root, 'docs', 'operations.md'), join(target, 'docs', 'operations.md'))
writeFileSync(
  join(target, 'skein-relay'),
  '#!/bin/sh\nhere=$(dirname "$(readlink -f "$0")")\nexec "$here/node" "$here/app/bundle/main.js" "$@"\n',
  {
    mode: 0o755,
  },
)
writeFileSync(join(target, 'version'), `${JSON.parse(readFileSync(join(relay, 'package.json'), 'utf8')).version}\n`)

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
