// A relay is built without the client: it must not even be able to read a message. The relay is bundled from its
// sources, and no file of the client may be in the bundle.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const ENTRY = 'apps/relay/src/main.ts'
const FORBIDDEN = /(^|\/)(packages\/node\/(src|dist)\/(client|store)|apps\/(?!relay\/)[^/]+)\//

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
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'node',
      external: NATIVE,
      alias: Object.fromEntries(own.map(([name, file]) => [name, join(root, file)])),
      logLevel: 'silent',
    })
    const foreign = Object.keys(metafile.inputs).filter((file) => FORBIDDEN.test(file))
    return foreign.map((file) => `the relay contains ${file}; a relay is built without the client.`)
  } catch (error) {
    return [`${ENTRY} cannot be bundled: ${error.message}`]
  }
}
