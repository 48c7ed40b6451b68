// Core runs in browsers too. Types alone do not prove it: a dependency's declarations can pull Node.js types in. So core
// is bundled for no platform at all, and what ends up in the bundle is compared with what may be there.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const ENTRY = 'packages/core/src/index.ts'
const ALLOWED = [/^@bufbuild\/protobuf$/, /^@noble\//, /^@scure\/base$/]

/** Largest gzipped, minified core: 60 KB. A web client on a slow phone loads it before anything can be shown. */
const GZIP_BUDGET_BYTES = 60_000

/** @returns {Promise<string[]>} problems */
export async function coreBundle(root, { budget = GZIP_BUDGET_BYTES } = {}) {
  if (!existsSync(join(root, ENTRY))) return [`${ENTRY} does not exist.`]
  try {
    const result = await build({
      absWorkingDir: root,
      entryPoints: [ENTRY],
      bundle: true,
      minify: true,
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      external: ['node:*'],
      logLevel: 'silent',
    })
    return [...externals(result.metafile), ...foreignPackages(result.metafile), ...overBudget(result.outputFiles[0].contents, budget)]
  } catch (error) {
    return [`${ENTRY} cannot be bundled without a platform: ${error.message}`]
  }
}

function externals({ inputs }) {
  return Object.entries(inputs).flatMap(([file, { imports }]) =>
    imports.filter(({ external }) => external).map(({ path }) => `${file} imports ${path}; core knows no platform.`),
  )
}

function foreignPackages({ inputs }) {
  const packages = new Set(Object.keys(inputs).flatMap(packageOf))
  return [...packages]
    .filter((name) => !ALLOWED.some((pattern) => pattern.test(name)))
    .map((name) => `core contains ${name}, which is not on its list of allowed packages.`)
}

/** `…/node_modules/@noble/curves/utils.js` → `@noble/curves`. */
function packageOf(file) {
  const inside = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)
  return inside === null ? [] : [inside[1]]
}

function overBudget(contents, budget) {
  const { length } = gzipSync(contents)
  return length <= budget ? [] : [`core is ${length} bytes gzipped; the budget is ${budget}.`]
}
