// A relay is built without the client: it must not even be able to read a message. What is shipped is bundled from its
// sources in pieces, and nothing of the client may be in a piece that the relay can load. Beside it lies one program more,
// which `skein-relay bench` starts as a process of its own: the members with which it measures. They have what members need
// to reach a relay and each other, and nothing of messages either.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { inputsOf, reachedOutputs } from '../reached-outputs.mjs'

const ENTRY = 'apps/relay/src/main.ts'
/** What knows of messages, accounts and files. */
const MESSENGER = [
  /(^|\/)apps\/(?!relay\/)/,
  /(^|\/)packages\/core\/(src|dist)\/(messenger|dispatch|devices|files|main-path|delivery|conversation|mesh|proofs)\b/,
  // Of the cards of invites a member's swarm has the name of the protocol.
  /(^|\/)packages\/core\/(src|dist)\/contacts\/(?!invite-cards\.)/,
  /(^|\/)packages\/core\/(src|dist)\/mailbox\/(collector|depositor|purse)\b/,
  /(^|\/)packages\/node\/(src|dist)\/(client|store|files|mesh)\//,
]
/** What reaches others as a member does. */
const MEMBER = [
  /(^|\/)packages\/core\/(src|dist)\/contacts\//,
  /(^|\/)packages\/node\/(src|dist)\/(punch|bulk\/bulk-channels)\b/,
  /(^|\/)packages\/node\/(src|dist)\/swarm\/(libp2p-swarm|dialling|improving|relay-supervisor)\./,
]
const PROGRAMS = [
  { entry: ENTRY, forbidden: [...MESSENGER, ...MEMBER] },
  { entry: 'apps/relay/src/bench/bench-peer.ts', forbidden: MESSENGER },
]

/** Packages with native code stay outside of the bundle. */
const NATIVE = ['better-sqlite3', '@chainsafe/libp2p-quic', 'node-datachannel', '@node-datachannel/*', '*.node']

/** Our own packages are taken from their sources, so that a stale build cannot hide anything. */
const OWN = {
  '@skein/core/tokens': 'packages/core/src/tokens/index.ts',
  '@skein/core/relay': 'packages/core/src/relay/index.ts',
  '@skein/core/files': 'packages/core/src/files/index.ts',
  '@skein/core': 'packages/core/src/index.ts',
  '@skein/node/bulk': 'packages/node/src/bulk/index.ts',
  '@skein/node/swarm': 'packages/node/src/swarm/index.ts',
}

/** @returns {Promise<string[]>} problems */
export async function relayBundle(root) {
  const own = Object.entries(OWN).filter(([, file]) => existsSync(join(root, file)))
  const alias = Object.fromEntries(own.map(([name, file]) => [name, join(root, file)]))
  const programs = PROGRAMS.filter(({ entry }) => existsSync(join(root, entry)))
  return (await Promise.all(programs.map((program) => problemsOf(program, { root, alias })))).flat()
}

async function problemsOf({ entry, forbidden }, { root, alias }) {
  try {
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: [entry],
      bundle: true,
      splitting: true,
      outdir: 'apps/relay/bundle',
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'node',
      external: NATIVE,
      alias,
      logLevel: 'silent',
    })
    const reached = reachedOutputs(metafile.outputs, (each) => each === entry)
    const foreign = [...inputsOf(metafile.outputs, reached)].filter((file) => forbidden.some((each) => each.test(file)))
    return foreign.map((file) => `${entry} contains ${file}; a relay is built without the client.`)
  } catch (error) {
    return [`${entry} cannot be bundled: ${error.message}`]
  }
}
