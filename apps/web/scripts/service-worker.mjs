// `sw.js`: after one visit the interface opens with every server down. It holds the list of all files of the export.
import { join } from 'node:path'
import { getManifest } from '@serwist/build'
import { build } from 'esbuild'

/** Largest file that is kept for use without network, bytes: SQLite in WebAssembly has 900 kB. */
const MOST_BYTES = 4_000_000

/** @throws Error when a file is too large to be kept, or the worker cannot be bundled */
export async function writeServiceWorker(app, out) {
  const { manifestEntries, warnings } = await getManifest({
    globDirectory: out,
    globPatterns: ['**/*.{html,js,css,svg,png,wasm,webmanifest}'],
    globIgnores: ['sw.js'],
    // Their names change with their contents.
    dontCacheBustURLsMatching: /^_next\/static\//,
    maximumFileSizeToCacheInBytes: MOST_BYTES,
  })
  if (warnings.length > 0) throw new Error(warnings.join('\n'))
  await build({
    absWorkingDir: app,
    entryPoints: ['src/offline/service-worker.ts'],
    outfile: join(out, 'sw.js'),
    bundle: true,
    minify: true,
    format: 'iife',
    platform: 'browser',
    define: { FILES: JSON.stringify(manifestEntries), 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
  })
}
