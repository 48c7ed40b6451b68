// ARCHITECTURE.md leads readers from the composer to the other side by file name. A path that has moved leads nowhere.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { read } from './files.mjs'

const DOCUMENT = 'ARCHITECTURE.md'
/** A path from the root of the repository: with a slash inside or an extension we use; not `/skein/deliver/1`, not `@skein/core`. */
const PATH = /^\.?[\w-][\w.-]*(\/[\w.[\]-]+)+\/?$|^[\w-]+\.(ts|tsx|mjs|json|md|yaml|yml)$/

/** @returns {string[]} problems */
export function architecture(root) {
  if (!existsSync(join(root, DOCUMENT))) return []
  const rows = read(root, DOCUMENT)
    .split('\n')
    .filter((line) => line.trimStart().startsWith('|'))
  const paths = new Set(rows.flatMap((row) => [...row.matchAll(/`([^`]+)`/g)].map(([, text]) => text)).filter((text) => PATH.test(text)))
  return [...paths].filter((path) => !existsSync(join(root, path))).map((path) => `${DOCUMENT} names \`${path}\`, which does not exist.`)
}
