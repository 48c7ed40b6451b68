// An installer for Windows, made by NSIS on any system.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { version } from './stage.mjs'

const SCRIPT = fileURLToPath(new URL('installer.nsi', import.meta.url))

export function makeInstaller({ staged, output, node }) {
  const defined = Object.entries({ VERSION: version, STAGED: staged, NODE: node, OUTPUT: output }).map(
    ([name, value]) => `-D${name}=${value}`,
  )
  const done = spawnSync('makensis', ['-V2', ...defined, SCRIPT], { stdio: ['ignore', 2, 2] })
  if (done.status !== 0) throw new Error('makensis could not make the installer')
  return output
}
