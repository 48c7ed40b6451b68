// What browsers get besides the interface itself: the worker that runs SQLite, and a plugin that every bundle needs.
import { copyFileSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const NODE = join(ROOT, 'packages', 'node')

/** Modules of libraries that browsers get another one for: each says why. apps/web/next.config.ts has the same. */
const STAND_INS = {
  'multiformats/hashes/sha2': 'dist/swarm/sha2.browser.js',
  '@noble/curves/secp256k1.js': 'dist/swarm/secp256k1.browser.js',
}

export const standIns = {
  name: 'stand-ins',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^(multiformats|@noble)\// }, ({ path }) =>
      path in STAND_INS ? { path: join(NODE, STAND_INS[path]) } : undefined,
    ),
}

/**
 * Modules of ours that are loaded only when they are needed are none of the worker's. In one file with them, esbuild would
 * make what they share with the rest (the class of all errors) wait for a first use that never comes.
 */
const withoutOwnDynamic = {
  name: 'without-own-dynamic',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\.\.?\// }, ({ kind, path, resolveDir }) =>
      kind === 'dynamic-import' && !resolveDir.includes('node_modules') ? { path, external: true } : undefined,
    ),
}

/** What runs in workers, by the name it is served under. */
const WORKERS = { 'store-worker': 'dist/store/worker/worker.js', 'file-worker': 'dist/files/browser/worker.js' }

/** Writes the workers, and `sqlite3.wasm` beside them. @throws Error when one cannot be bundled */
export async function bundleWorker(folder) {
  mkdirSync(folder, { recursive: true })
  await build({
    absWorkingDir: ROOT,
    entryPoints: Object.entries(WORKERS).map(([out, program]) => ({ out, in: join(NODE, program) })),
    outdir: folder,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    plugins: [withoutOwnDynamic],
    logLevel: 'error',
  })
  const main = createRequire(join(NODE, 'package.json')).resolve('@sqlite.org/sqlite-wasm')
  copyFileSync(join(dirname(main), 'sqlite3.wasm'), join(folder, 'sqlite3.wasm'))
}

// As a program: the folder is its argument.
if (process.argv[1] === fileURLToPath(import.meta.url)) await bundleWorker(process.argv[2])
