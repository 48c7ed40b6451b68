// Whoever meets an error code looks it up in docs/ERRORS.md; so each code stands there, and no code that is gone.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { read } from './files.mjs'

const SOURCE = 'packages/core/src/errors/index.ts'
const DOCUMENT = 'docs/ERRORS.md'
/** A heading or the first cell of a table row: `## CODE`, `| CODE |`, with or without backticks. */
const ENTRY = /^(?:#+ +|\| *)`?([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)`?[ \t]*(?:\||$)/gm

/** @returns {string[]} problems */
export function errors(root) {
  const list = /ERROR_CODES\s*=\s*\[([^\]]*)\]/.exec(read(root, SOURCE))
  if (list === null) return [`${SOURCE} has no list ERROR_CODES.`]
  const codes = [...list[1].matchAll(/'(\w+)'/g)].map(([, code]) => code)
  const explained = existsSync(join(root, DOCUMENT)) ? [...read(root, DOCUMENT).matchAll(ENTRY)].map(([, code]) => code) : []
  return [
    ...codes.filter((code) => !explained.includes(code)).map((code) => `${DOCUMENT} does not explain ${code}.`),
    ...explained.filter((code) => !codes.includes(code)).map((code) => `${DOCUMENT} explains ${code}, which is no error code.`),
  ]
}
