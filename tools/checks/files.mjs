// What every check needs: the project's own files, without what is generated, installed or built.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

/** Folders that no check looks into: installed, built, or kept out of git. */
const SKIPPED = new Set([
  'node_modules',
  'dist',
  'bundle',
  '.git',
  '.toolchain',
  '.turbo',
  '.vitest',
  'coverage',
  '.artifacts',
  '.skein',
  '.next',
  'out',
])

/** Every file below `folder`, as paths from `root` with forward slashes, sorted. */
export function filesUnder(root, folder = '.') {
  const start = join(root, folder)
  if (!existsSync(start)) return []
  return [...walk(start)].map((file) => relative(root, file).split(sep).join('/')).sort()
}

function* walk(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (SKIPPED.has(entry.name)) continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* walk(path)
    else if (entry.isFile()) yield path
  }
}

export const read = (root, file) => readFileSync(join(root, file), 'utf8')

export const isGenerated = (file) => /(^|\/)gen\/|\.gen\.\w+$|(^|\/)migrations\//.test(file)

export const isTest = (file) => /\.test\.m?tsx?$|\/testing\/contracts\//.test(file)

/** Folders that hold a package's own sources, e.g. `packages/core/src`. */
export function sourceFolders(root) {
  const groups = ['packages', 'apps'].filter((group) => existsSync(join(root, group)))
  return groups
    .flatMap((group) => readdirSync(join(root, group)).map((name) => `${group}/${name}/src`))
    .filter((folder) => existsSync(join(root, folder)))
}

/** TypeScript sources below `folder`, without declarations and generated files. */
export function sources(root, folder) {
  return filesUnder(root, folder).filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.d.ts') && !isGenerated(file))
}

const STRINGS_AND_COMMENTS = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g

/** The text with comments blanked; line numbers stay as they are. */
export function withoutComments(text) {
  return text.replace(STRINGS_AND_COMMENTS, (match) => (match.startsWith('/') ? match.replace(/[^\n]/g, ' ') : match))
}

/** The text with comments and quoted strings blanked; templates stay, because they hold code. */
export function codeOnly(text) {
  return withoutComments(text).replace(STRINGS_AND_COMMENTS, (match) => (match.startsWith('`') ? match : ' '.repeat(match.length)))
}
