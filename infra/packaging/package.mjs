// `npm run package -- [linux] [windows] [deb] [nsis] [electron] [--out DIR]`: packages of the desktop program, the first
// four when none is named. Unsigned. `electron` is the folder that electron-builder packs (electron-builder.yml), which
// fetches Electron and so runs in public CI alone. Paths of what was made go to stdout, one a line.
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ensurePackagers } from '../../tools/system-packages.mjs'
import { makeDeb } from './deb.mjs'
import { makeExecutable } from './executable.mjs'
import { makeInstaller } from './installer.mjs'
import { nodeFor, stage, version } from './stage.mjs'
import { ownTarget, TARGETS } from './targets.mjs'

const WORK = fileURLToPath(new URL('../../.toolchain/packaging', import.meta.url))
const LINUX = TARGETS['linux-x64']
const WINDOWS = TARGETS['win-x64']

const KINDS = {
  linux: { target: LINUX, make: makeExecutable, file: `skein-desktop-${version}-linux-x64` },
  windows: { target: WINDOWS, make: makeExecutable, file: `skein-desktop-${version}-win-x64.exe` },
  deb: { target: LINUX, make: makeDeb, file: `skein_${version}_amd64.deb` },
  nsis: { target: WINDOWS, make: makeInstaller, file: `skein-${version}-setup.exe` },
  electron: { target: ownTarget(), make: makeFolder, file: 'app' },
}
const UNASKED = ['linux', 'windows', 'deb', 'nsis']

function makeFolder({ staged, output }) {
  rmSync(output, { recursive: true, force: true })
  cpSync(staged, output, { recursive: true })
  return output
}

const { values, positionals } = parseArgs({
  args: process.argv.slice(2).filter((each) => each !== '--'),
  options: { out: { type: 'string', default: 'dist-packages' } },
  allowPositionals: true,
})
const wanted = positionals.length === 0 ? UNASKED : positionals
const unknown = wanted.find((kind) => !(kind in KINDS))
if (unknown !== undefined) {
  process.stderr.write(`package: no kind «${unknown}»; there are: ${Object.keys(KINDS).join(', ')}\n`)
  process.exit(2)
}
const out = resolve(values.out)
mkdirSync(out, { recursive: true })
mkdirSync(WORK, { recursive: true })
ensurePackagers(wanted)
const staged = new Map()
for (const kind of wanted) {
  const { target, make, file } = KINDS[kind]
  const folder = staged.get(target) ?? join(WORK, `staged-${target.os}-${target.cpu}`)
  if (!staged.has(target)) stage(folder, target)
  staged.set(target, folder)
  // The pinned Node.js builds executables; an older one of the system cannot.
  const builder = nodeFor(WORK, ownTarget() ?? LINUX)
  const made = make({ staged: folder, work: WORK, output: join(out, file), builder, node: nodeFor(WORK, target) })
  process.stdout.write(`${made}\n`)
}
