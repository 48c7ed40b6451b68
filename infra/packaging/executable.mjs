// One file that runs without anything installed (Node.js single executable application).
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { version } from './stage.mjs'

const LAUNCHER = fileURLToPath(new URL('launcher.cjs', import.meta.url))

const filesIn = (folder) => readdirSync(folder, { recursive: true }).filter((name) => statSync(join(folder, name)).isFile())

/** @param builder the pinned Node.js of this machine; @param node the one of the target @returns the executable's path */
export function makeExecutable({ staged, work, output, builder, node }) {
  const files = filesIn(staged).sort()
  const hash = createHash('sha256')
  for (const name of files) hash.update(name).update(readFileSync(join(staged, name)))
  const id = join(work, 'id')
  writeFileSync(id, `${version}-${hash.digest('hex').slice(0, 16)}`)
  const assets = Object.fromEntries([['id', id], ...files.map((name) => [name.split(sep).join('/'), join(staged, name)])])
  const config = join(work, 'executable.json')
  writeFileSync(config, JSON.stringify({ main: LAUNCHER, output, executable: node, disableExperimentalSEAWarning: true, assets }))
  const done = spawnSync(builder, ['--build-sea', config], { stdio: ['ignore', 2, 2] })
  if (done.status !== 0) throw new Error('the executable could not be built')
  chmodSync(output, 0o755)
  return output
}
