// Core runs in browsers too. Types alone do not prove it: a dependency's declarations can pull Node.js types in. So core
// is bundled for no platform at all, and what ends up in the bundle is compared with what may be there.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const ENTRY = 'packages/core/src/index.ts'
/** The encryption alone, as a page loads it that does nothing else; absent only where a whole core is absent too. */
const ENCRYPTION = 'packages/core/src/e2ee/index.ts'
const ALLOWED = [/^@bufbuild\/protobuf$/, /^@noble\//, /^@scure\/base$/, /^fflate$/, /^hpke$/]

/**
 * Largest gzipped, minified core, of which more than a third is cryptography that no browser has on a plain-HTTP page. A web
 * client on a slow phone loads it before anything can be shown; 5 KB of it (Argon2) only when a password is used. The mesh
 * is 31 KB (pages do not load it), mailboxes and delivery are 14 KB, conversations 5, files 9, several devices 9, delivery proofs 3.
 */
const GZIP_BUDGET_BYTES = 170_000
/** Curves 10 KB, ML-KEM 6, DEFLATE 4, hashes 4, protobuf 3, ChaCha20 3, HPKE 3; the rest are sessions and their messages. */
const ENCRYPTION_BUDGET_BYTES = 50_000

/** @returns {Promise<string[]>} problems */
export async function coreBundle(root, { budget = GZIP_BUDGET_BYTES, encryptionBudget = ENCRYPTION_BUDGET_BYTES } = {}) {
  if (!existsSync(join(root, ENTRY))) return [`${ENTRY} does not exist.`]
  try {
    const { metafile, contents } = await bundled(root, ENTRY)
    const encryption = existsSync(join(root, ENCRYPTION)) ? (await bundled(root, ENCRYPTION)).contents : ''
    return [
      ...externals(metafile),
      ...foreignPackages(metafile),
      ...overBudget('core', contents, budget),
      ...overBudget("core's encryption", encryption, encryptionBudget),
    ]
  } catch (error) {
    return [`${ENTRY} cannot be bundled without a platform: ${error.message}`]
  }
}

async function bundled(root, entry) {
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
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
  return { metafile, contents: outputFiles[0].contents }
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

function overBudget(what, contents, budget) {
  const { length } = gzipSync(contents)
  return length <= budget ? [] : [`${what} is ${length} bytes gzipped; the budget is ${budget}.`]
}
