// docs/spec numbers every promise (`**PR4** …`), and a test says in its title which promise it shows (`[PR4] …`). A rule
// without a test is a hope; a test that names an unknown rule means that one of the two is out of date; and a
// number that is given twice lets the test of one promise pass for that of the other.
import { filesUnder, isTest, read } from './files.mjs'

const RULE = /\*\*([A-Z]{2,3}\d+)\*\*/g
const TITLE = /['"`]((?:\[[A-Z]{2,3}\d+(?:, ?[A-Z]{2,3}\d+)*\] ?)+)/g
const NUMBER = /[A-Z]{2,3}\d+/g
const TEST_FOLDERS = ['packages', 'apps', 'e2e', 'infra', 'bench']

/** @returns {string[]} problems */
export function rules(root) {
  const spec = filesUnder(root, 'docs/spec').filter((file) => file.endsWith('.md'))
  const written = collect(root, spec, rulesIn)
  const tested = collect(root, TEST_FOLDERS.flatMap((folder) => filesUnder(root, folder)).filter(isTest), titlesIn)
  const given = spec.flatMap((file) => rulesIn(read(root, file)).map((rule) => ({ rule, file })))
  return [
    ...given
      .filter(({ rule }, at) => given.findIndex((each) => each.rule === rule) < at)
      .map(({ rule, file }) => `${file}: [${rule}] is given to another promise already.`),
    ...[...written].filter(([rule]) => !tested.has(rule)).map(([rule, file]) => `${file}: no test's title begins with [${rule}].`),
    ...[...tested]
      .filter(([rule]) => !written.has(rule))
      .map(([rule, file]) => `${file}: a test names [${rule}], which no file in docs/spec defines.`),
  ]
}

/** Rule → the first file that mentions it. */
function collect(root, files, find) {
  return new Map(files.toReversed().flatMap((file) => find(read(root, file)).map((rule) => [rule, file])))
}

const rulesIn = (text) => [...text.matchAll(RULE)].map(([, rule]) => rule)

const titlesIn = (text) => [...text.matchAll(TITLE)].flatMap(([, title]) => title.match(NUMBER))
