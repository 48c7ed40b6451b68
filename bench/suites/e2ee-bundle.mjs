import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

/** The bundler of the repository's checks. */
const { build } = createRequire(new URL('../../package.json', import.meta.url))('esbuild')

/** What a module of core weighs for a web client with all that it needs, minified and compressed; 1 KB = 1,000 bytes. */
export async function bundleGzipKb(module) {
  const result = await build({
    absWorkingDir: fileURLToPath(new URL('../..', import.meta.url)),
    entryPoints: [`packages/core/src/${module}`],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    logLevel: 'silent',
  })
  return gzipSync(result.outputFiles[0].contents).length / 1_000
}
