// All repository checks in the order of their run: cheap and telling ones first.
import { architecture } from './architecture.mjs'
import { browserBundle } from './browser-bundle.mjs'
import { coreBundle } from './core-bundle.mjs'
import { coreLint } from './core-lint.mjs'
import { errors } from './errors.mjs'
import { imports } from './imports.mjs'
import { nativeBinaries } from './native-binaries.mjs'
import { biome, oxlint, packageBoundaries, testTypes } from './programs.mjs'
import { relayBundle } from './relay-bundle.mjs'
import { rules } from './rules.mjs'
import { sizes } from './sizes.mjs'
import { words } from './words.mjs'

const CHECKS = [
  ['biome: format and lint', biome],
  ['oxlint', oxlint],
  ['package boundaries', packageBoundaries],
  ['types of test files', testTypes],
  ['import direction and cycles', imports],
  ['core: no clock, chance or platform', coreLint],
  ['core: bundle', coreBundle],
  ['relay: bundle without the client', relayBundle],
  ['pages: no module of Node.js', browserBundle],
  ['native binaries for every platform', nativeBinaries],
  ['numbered rules and tests', rules],
  ['paths in ARCHITECTURE.md', architecture],
  ['error codes in docs/ERRORS.md', errors],
  ['file sizes and names', sizes],
  ['no machine paths or registry hosts', words],
]

/** Runs every check, prints what it finds, and counts. @param {{ fix?: boolean }} [options] */
export async function runChecks(root, options = {}) {
  const counts = { passed: 0, failed: 0 }
  for (const [name, find] of CHECKS) {
    const problems = await find(root, options)
    counts[problems.length === 0 ? 'passed' : 'failed'] += 1
    console.log(problems.length === 0 ? `✓ ${name}` : `✗ ${name}\n${problems.map(indented).join('\n')}`)
  }
  return counts
}

const indented = (text) => text.replace(/^/gm, '    ')
