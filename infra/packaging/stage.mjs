// The folder that every kind of package holds: bundles, interface, and the packages with native code for one system.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NODE_VERSION } from './targets.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const APPS = join(ROOT, 'apps')
const NATIVE = ['better-sqlite3', 'node-datachannel', '@napi-rs/keyring']
/** Made for whoever serves pages over a network. */
const COMPRESSED = /\.(?:br|gz)$/

export const version = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version

/** Packages of the npm registry, for `target` and not for this machine. @throws Error when they cannot be had */
function fetchPackages(folder, packages, { os, cpu }) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n')
  const flags = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--omit=optional']
  const args = ['install', ...flags, `--os=${os}`, `--cpu=${cpu}`, '--force', ...packages]
  const done = spawnSync('npm', args, { cwd: folder, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })
  if (done.status !== 0) throw new Error(`npm could not fetch ${packages.join(', ')}`)
}

const versionOf = (name) => JSON.parse(readFileSync(join(APPS, 'desktop/node_modules', name, 'package.json'), 'utf8')).version

/** Path of the pinned Node.js for `target`. */
export function nodeFor(work, target) {
  const folder = join(work, `node-${target.os}-${target.cpu}`)
  const binary = join(folder, 'node_modules', target.node, target.binary)
  if (!existsSync(binary)) fetchPackages(folder, [`${target.node}@${NODE_VERSION}`], target)
  return binary
}

/** Fills `folder` anew. @throws Error when the apps have not been built */
export function stage(folder, target) {
  for (const built of ['desktop/bundle/main.js', 'cli/bundle/main.js', 'web/out/index.html'])
    if (!existsSync(join(APPS, built))) throw new Error(`apps/${built} is missing: build first`)
  rmSync(folder, { recursive: true, force: true })
  // A package and its part for one system have the same version.
  const wanted = [...NATIVE.map((name) => [name, name]), ...target.native.map((name) => [name, ownerOf(name)])]
  fetchPackages(
    folder,
    wanted.map(([name, owner]) => `${name}@${versionOf(owner)}`),
    target,
  )
  for (const part of unneeded(folder, target)) rmSync(join(folder, 'node_modules', part), { recursive: true, force: true })
  // Modules in .js are ES modules; what lies in node_modules says itself what it is.
  writeFileSync(
    join(folder, 'package.json'),
    `${JSON.stringify({ name: 'skein', version, private: true, type: 'module', main: 'bundle/electron.js' })}\n`,
  )
  cpSync(join(APPS, 'desktop/bundle'), join(folder, 'bundle'), { recursive: true })
  cpSync(join(APPS, 'cli/bundle'), join(folder, 'cli'), { recursive: true })
  cpSync(join(APPS, 'web/out'), join(folder, 'ui'), { recursive: true, filter: (path) => !COMPRESSED.test(path) })
}

const ownerOf = (name) => NATIVE.find((each) => name.startsWith(each.split('/')[0]) || name.startsWith(`@${each}/`)) ?? name

/** Sources and binaries of other systems. */
function unneeded(folder, { os, cpu }) {
  const sqlite = join(folder, 'node_modules/better-sqlite3')
  const prebuilds = existsSync(join(sqlite, 'prebuilds')) ? readdirSync(join(sqlite, 'prebuilds')) : []
  const others = prebuilds.filter((name) => !name.includes(os) || !name.includes(cpu)).map((name) => `better-sqlite3/prebuilds/${name}`)
  return ['.package-lock.json', '.bin', 'better-sqlite3/deps', 'better-sqlite3/src', ...others]
}
