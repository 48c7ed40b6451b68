// A relay is built without the client: it must not even be able to read a message. The relay is bundled from its
// sources in pieces, as it is shipped, and nothing of the client may be in a piece that it can load.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { inputsOf, reachedOutputs } from '../reached-outputs.mjs'

const ENTRY = 'apps/relay/src/main.ts'
const FORBIDDEN = [
  /(^|\/)apps\/(?!relay\/)/,
  /(^|\/)packages\/core\/(src|dist)\/(messenger|dispatch|devices|files|main-path|delivery)\b/,
  /(^|\/)packages\/node\/(src|dist)\/(client|store|punch)\//,
  /(^|\/)packages\/node\/(src|dist)\/swarm\/(libp2p-swarm|dialling|improving|relay-supervisor)\./,
]

/** Packages with native code stay outside of the bundle. */
const NATIVE = ['better-sqlite3', '@chainsafe/libp2p-quic', 'node-datachannel', '@node-datachannel/*', '*.node']

/** Our own packages are taken from their sources, so that a stale build cannot hide anything. */
const OWN = {
  '@skein/core/tokens': 'packages/core/src/tokens/index.ts',
  '@skein/core/relay': 'packages/core/src/relay/index.ts',
  '@skein/core/files': 'packages/core/src/files/index.ts',
  '@skein/core': 'packages/core/src/index.ts',
  '@skein/node/swarm': 'packages/node/src/swarm/index.ts',
}

/** @returns {Promise<string[]>} problems */
export async function relayBundle(root) {
  if (!existsSync(join(root, ENTRY))) return []
  const own = Object.entries(OWN).filter(([, file]) => existsSync(join(root, file)))
  try {
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: [ENTRY],
      bundle: true,
      splitting: true,
      outdir: 'apps/relay/bundle',
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'node',
      external: NATIVE,
      alias: Object.fromEntries(own.map(([name, file]) => [name, join(root, file)])),
      logLevel: 'silent',
    })
    const reached = reachedOutputs(metafile.outputs, (entry) => entry === ENTRY)
    const foreign = [...inputsOf(metafile.outputs, reached)].filter((file) => FORBIDDEN.some((each) => each.test(file)))
    return foreign.map((file) => `the relay contains ${file}; a relay is built without the client.`)
  } catch (error) {
    return [`${ENTRY} cannot be bundled: ${error.message}`]
  }
}
