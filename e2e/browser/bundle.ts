/** One script with vitest's runner and tests, for a page. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { standIns } from '../../tools/browser-bundle.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const TESTED = 'packages/core/src/e2ee'
const CONTRACT = 'packages/core/src/testing/contracts/primitives.ts'
const PRIMITIVES = 'packages/core/src/e2ee/primitives.ts'

/** Every test of the encryption core but those that say themselves that they need Node.js. */
function testFiles(): readonly string[] {
  return readdirSync(join(ROOT, TESTED))
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `${TESTED}/${name}`)
    .filter((file) => !/from 'node:/.test(readFileSync(join(ROOT, file), 'utf8')))
}

/** The module `test-files` that the page imports. */
function listOf(modules: readonly string[]): string {
  return `export const files = new Map([${modules.map((each) => `[${JSON.stringify(each)}, () => import(${JSON.stringify(each)})]`).join(', ')}])`
}

const contractOnNoble = `
  import { primitivesContract } from './${CONTRACT}'
  import { noblePrimitives } from './${PRIMITIVES}'
  primitivesContract('noble', noblePrimitives, noblePrimitives)`

function generated(modules: Readonly<Record<string, string>>): Plugin {
  return {
    name: 'generated',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^(?:\.\/test-files\.js|primitives-on-noble)$/ }, ({ path }) => ({ path, namespace: 'generated' }))
      onLoad({ filter: /./, namespace: 'generated' }, ({ path }) => ({ contents: modules[path] ?? '', resolveDir: ROOT }))
    },
  }
}

/** The tests of the encryption core. @throws Error when one of them, or what it imports, cannot be bundled for a browser */
export function bundleEncryptionTests(): Promise<Uint8Array> {
  return bundleTests([...testFiles().map((file) => `./${file}`), 'primitives-on-noble'])
}

/** @param modules from the root of the repository, `./…` */
export async function bundleTests(modules: readonly string[]): Promise<Uint8Array> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['e2e/browser/page.ts'],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    plugins: [generated({ './test-files.js': listOf(modules), 'primitives-on-noble': contractOnNoble }), standIns],
  })
  const [script] = outputFiles
  if (script === undefined) throw new Error('the tests gave no bundle')
  return script.contents
}
