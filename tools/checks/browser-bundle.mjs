// What pages load of the node package has no module of Node.js: bundlers differ in what they make of one, down to pages that do
// not start. The packages of others are not looked into here.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const ENTRIES = ['browser.ts', 'store/worker/worker.ts', 'files/browser/worker.ts'].map((each) => `packages/node/src/${each}`)

/** @returns {Promise<string[]>} problems */
export async function browserBundle(root) {
  const entryPoints = ENTRIES.filter((each) => existsSync(join(root, each)))
  if (entryPoints.length === 0) return []
  try {
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints,
      bundle: true,
      write: false,
      metafile: true,
      outdir: 'packages/node/bundle',
      format: 'esm',
      platform: 'browser',
      packages: 'external',
      logLevel: 'silent',
    })
    return Object.entries(metafile.inputs).flatMap(([file, { imports }]) =>
      imports
        .filter(({ path }) => path.startsWith('node:'))
        .map(({ path }) => `${file} imports ${path}; pages load it, and have no such module.`),
    )
  } catch (error) {
    return [`What pages load cannot be bundled: ${error.message}`]
  }
}
