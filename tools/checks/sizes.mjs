// A file that fits in the head: at most 400 lines (generated ones excepted), named after what it does. A file or folder
// named after nothing in particular collects everything that nobody wanted to name.
import { filesUnder, isGenerated, read } from './files.mjs'

const MOST_LINES = 400
const SOURCE = /\.(ts|tsx|mjs|js|css|sh)$/
const EMPTY_NAME = /(?:^|[-.])(?:utils?|helpers?|common|manager)$/

/** @returns {string[]} problems */
export function sizes(root) {
  const files = filesUnder(root)
  return [...files.filter((file) => SOURCE.test(file) && !isGenerated(file)).flatMap((file) => tooLong(root, file)), ...emptyNames(files)]
}

function tooLong(root, file) {
  const lines = read(root, file).trimEnd().split('\n').length
  return lines <= MOST_LINES ? [] : [`${file} has ${lines} lines; split it, at most ${MOST_LINES} are allowed.`]
}

function emptyNames(files) {
  const named = new Set(files.flatMap((file) => file.split('/').map((_, at, parts) => parts.slice(0, at + 1).join('/'))))
  return [...named]
    .filter((path) => EMPTY_NAME.test(stem(path)))
    .map((path) => `${path} is named after nothing in particular; name it after what it does.`)
}

/** The last part of a path without its extensions of code and tests. */
const stem = (path) =>
  path
    .split('/')
    .at(-1)
    .replace(/(\.test)?\.\w+$/, '')
