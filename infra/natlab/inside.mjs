// The part of the laboratory that runs inside the sandbox; natlab.mjs starts it with arguments it has found good.
import { measureBehaviour } from './behaviour.mjs'
import { seeded, shuffled } from './chance.mjs'
import { gridTable, pairTable, plainTable, summarise } from './document.mjs'
import { fail } from './failure.mjs'
import { allPairs } from './kinds.mjs'
import { must } from './network.mjs'
import { parseOptions } from './options.mjs'
import { measurePair } from './pair.mjs'
import { SCENARIOS } from './scenarios.mjs'

const say = (text) => process.stderr.write(`${text}\n`)

async function measurePairs(options) {
  const random = seeded(options.seed)
  const wanted = options.pairs ?? allPairs()
  const found = new Map()
  for (const pair of shuffled(random, wanted)) {
    const { tries, file } = await measurePair(pair, { ...options, random })
    const line = { ...summarise(pair, tries), file }
    found.set(pair, line)
    say(
      `${pair.join(':')}: delivered ${line.delivered}/${line.tries}, direct ${line.direct}, ${line.path} ${line.errors?.[0] ?? ''}${fileText(file)}`,
    )
  }
  const { tries, delay, seed } = options
  return { tries, delay_ms: delay, seed, pairs: wanted.map((pair) => found.get(pair)) }
}

const fileText = (file) => (file === null ? '' : `, file ${file.whole ? `${file.mb_per_s} MB/s ${file.path}` : `lost ${file.error ?? ''}`}`)

/** Every pair is too much to read line by line. */
const tableOf = (pairs) => (pairs.length === allPairs().length ? gridTable(pairs) : pairTable(pairs))

async function main(args) {
  const options = parseOptions(args, Object.keys(SCENARIOS))
  // Names of namespaces and all files of this run: in memory, and nobody else's.
  must('mount', ['-t', 'tmpfs', 'tmpfs', '/run'])
  if (options.behaviour !== undefined) return print(await measureBehaviour(options.behaviour), ({ kinds }) => plainTable(kinds), options)
  if (options.scenario === undefined) return print(await measurePairs(options), ({ pairs }) => tableOf(pairs), options)
  const random = seeded(options.seed)
  return print(await SCENARIOS[options.scenario]({ ...options, random }), (found) => plainTable([found]), options)
}

function print(document, table, { json }) {
  process.stdout.write(json ? `${JSON.stringify(document)}\n` : `${table(document)}\n`)
}

const args = process.argv.slice(2)
// The first line is the sentence; what programs of the laboratory wrote may follow it.
const code = await main(args).then(
  () => 0,
  (error) =>
    fail({ code: 'FAILED', message: process.env.NATLAB_LOG === undefined ? error.message : error.stack, json: args.includes('--json') }),
)
process.exit(code)
