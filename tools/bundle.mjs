// Bundles a built app into a few files: a program of two thousand modules starts in a third of the time, and keeps 100 MB
// less, when Node.js does not have to find and link each of them. Run by the app's build, in the app's folder.
import { copyFileSync, existsSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { reachedOutputs } from './reached-outputs.mjs'

/** Packages with native code stay outside; the app itself depends on them, so that they are found from its bundle. */
const NATIVE = [
  'better-sqlite3',
  '@chainsafe/libp2p-quic',
  'node-datachannel',
  'node-datachannel/*',
  '@napi-rs/*',
  'udx-native',
  '*.node',
  'electron',
]
/** For dependencies in CommonJS that are drawn into an ES module. */
const REQUIRE =
  "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);"
/** Programs that the app starts beside itself, if they are part of it. */
const KEYCHAIN = fileURLToPath(new URL('../packages/node/dist/platform/keychain-process.js', import.meta.url))

const app = process.cwd()
const entryPoints = { main: join(app, 'dist', 'main.js') }
if (/(cli|desktop)$/.test(app) && existsSync(KEYCHAIN)) entryPoints['keychain-process'] = KEYCHAIN
/** What reads and writes files, in a thread of its own: by itself, since of what it shares it needs little. */
const FILES = fileURLToPath(new URL('../packages/node/dist/files/file-worker.js', import.meta.url))
/** The desktop program's part that runs inside Electron, where Electron is. */
const ELECTRON = join(app, 'dist', 'electron.js')
if (existsSync(ELECTRON)) entryPoints.electron = ELECTRON

/** The relay's bench measures with members of its own: by itself, since the relay is to share no code with a client. */
const BENCH = join(app, 'dist', 'bench', 'bench-peer.js')

rmSync(join(app, 'bundle'), { recursive: true, force: true })
const common = {
  outdir: join(app, 'bundle'),
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // Errors and events are told apart by the names of their classes.
  keepNames: true,
  external: NATIVE,
  banner: { js: REQUIRE },
  logLevel: 'warning',
}
const [written, reached] = [new Set(), new Set()]
await bundle(entryPoints)
if (existsSync(BENCH)) await bundle({ 'bench-peer': BENCH })
for (const file of written) if (!reached.has(file)) rmSync(file)
// The code for pieces is a program of its own, read when the first piece is made.
if (/(cli|desktop)$/.test(app)) copyFileSync(erasureCode(), join(app, 'bundle', 'reed_solomon_erasure_bg.wasm'))
if (/(cli|desktop)$/.test(app) && existsSync(FILES)) await build({ ...common, entryPoints: { 'file-worker': FILES } })

async function bundle(entries) {
  const { metafile } = await build({ ...common, entryPoints: entries, splitting: true, metafile: true })
  const own = new Set(Object.values(entries))
  for (const file of Object.keys(metafile.outputs)) written.add(file)
  for (const file of reachedOutputs(metafile.outputs, (entry) => own.has(resolve(entry)))) reached.add(file)
}

function erasureCode() {
  const node = fileURLToPath(new URL('../packages/node/package.json', import.meta.url))
  return createRequire(node).resolve('@digitaldefiance/reed-solomon-erasure.wasm/wasm')
}
