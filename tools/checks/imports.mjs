// Who may import whom: core → nothing of ours; node → core; apps → core and node; nothing imports an app; the relay takes
// only the swarm from node. Inside a package no two files import each other, not even over others: a cycle has no
// beginning to read from. Imports of types alone vanish when compiled, so they make no cycle.
import { posix } from 'node:path'
import { isTest, read, sourceFolders, sources, withoutComments } from './files.mjs'

const STATIC = /^[ \t]*(?:import|export)\s+(type\s+)?(?:(?:[\w$*{][\w$*{},\s]*?|\{[^}]*\})\s*from\s*)?['"]([^'"]+)['"]/gm
const DYNAMIC = /\bimport\(\s*['"]([^'"]+)['"]/g

/** What each package may import of ours; tests may also use core's test kit. */
const DIRECTIONS = [
  [/^packages\/core\//, []],
  [/^packages\/node\//, [/^@skein\/core(\/(tokens|files|relay))?$/]],
  [/^apps\/relay\//, [/^@skein\/core(\/(tokens|files|relay))?$/, /^@skein\/node\/(swarm|bulk)$/]],
  [/^apps\//, [/^@skein\/core(\/(tokens|files))?$/, /^@skein\/node(\/|$)/]],
]
const TEST_KIT = /^@skein\/core\/(testing|contracts)$/

/** @returns {string[]} problems */
export function imports(root) {
  return sourceFolders(root).flatMap((folder) => {
    const files = sources(root, folder).map((file) => ({ file, imported: importsOf(read(root, file)) }))
    return [...files.flatMap((each) => wrongDirection(each, folder)), ...cycles(files)]
  })
}

function importsOf(text) {
  const code = withoutComments(text)
  const fixed = [...code.matchAll(STATIC)].map(([, type, from]) => ({ from, linked: type === undefined }))
  return [...fixed, ...[...code.matchAll(DYNAMIC)].map(([, from]) => ({ from, linked: false }))]
}

function wrongDirection({ file, imported }, folder) {
  const allowed = DIRECTIONS.find(([where]) => where.test(file))[1]
  const mayImport = (from) => allowed.some((pattern) => pattern.test(from)) || (isTest(file) && TEST_KIT.test(from))
  const foreign = imported.filter(({ from }) => from.startsWith('@skein/') && !mayImport(from))
  const escaping = imported.filter(({ from }) => from.startsWith('.') && !target(file, from).startsWith(`${folder}/`))
  return [
    ...foreign.map(({ from }) => `${file} imports ${from}, which is against the direction core ← node ← apps.`),
    ...escaping.map(({ from }) => `${file} imports ${from}, which lies outside of its package's sources.`),
  ]
}

const target = (file, from) => posix.join(posix.dirname(file), from)

function cycles(files) {
  const linked = ({ file, imported }) =>
    imported.filter(({ from, linked }) => linked && from.startsWith('.')).map(({ from }) => target(file, from))
  const graph = new Map(files.map((each) => [each.file, linked(each)]))
  const state = new Map()
  const found = []
  const visit = (file, path) => {
    if (state.get(file) === 'done' || !graph.has(file)) return
    if (state.get(file) === 'open') return void found.push(`${[...path.slice(path.indexOf(file)), file].join(' → ')} is an import cycle.`)
    state.set(file, 'open')
    for (const next of graph.get(file)) visit(next, [...path, file])
    state.set(file, 'done')
  }
  for (const file of graph.keys()) visit(file, [])
  return found
}
