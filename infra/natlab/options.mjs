// The command line of the laboratory.
import { parseArgs } from 'node:util'
import { allPairs, KINDS } from './kinds.mjs'

const kindLines = Object.entries(KINDS).map(([name, { means }]) => `  ${name.padEnd(10)} ${means}`)

/** @param {string[]} scenarios names */
export const help = (
  scenarios,
) => `npm run natlab -- [--pairs A:B,…|all] [--tries N] [--delay MS] [--seed S] [--patience MS] [--file MB] [--json]
npm run natlab -- --scenario ${scenarios.join('|')} [--pairs A:B] [--delay MS] [--seed S] [--json]
npm run natlab -- --behaviour KIND,…|all [--json]

Runs real clients and relays in networks of its own and measures how they reach each other. Nothing leaves the machine.

  --pairs      pairs of kinds of network; default all
  --tries      tries per pair; default 3
  --delay      one way on each access link, milliseconds; default 10
  --seed       of everything random, the order of pairs included; default 1
  --patience   how long a client may take to become direct, milliseconds; default 12000
  --file       megabytes that are sent over the way that was reached, 0 for none; default 10
  --scenario   something happens in mid-conversation; what is lost, doubled, and the longest gap
  --behaviour  what a NAT of a kind does, found out with the tests of RFC 5780

Kinds:
${kindLines.join('\n')}
`

const OPTIONS = {
  pairs: { type: 'string' },
  tries: { type: 'string', default: '3' },
  delay: { type: 'string', default: '10' },
  seed: { type: 'string', default: '1' },
  patience: { type: 'string', default: '12000' },
  file: { type: 'string', default: '10' },
  scenario: { type: 'string' },
  behaviour: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
}

/** What somebody asked for wrongly. */
export class UsageError extends Error {}

/**
 * @param {string[]} scenarios names that `--scenario` may have
 * @returns {{ help: boolean, json: boolean, pairs: [string, string][] | undefined, tries: number, delay: number, seed: number,
 *   patience: number, file: number, scenario: string | undefined, behaviour: string[] | undefined }} `pairs` is undefined when none were named
 * @throws UsageError with one sentence
 */
export function parseOptions(args, scenarios) {
  const { values } = parsed(args)
  const { pairs, scenario, behaviour, json, help: wantsHelp } = values
  if (scenario !== undefined && !scenarios.includes(scenario)) {
    throw new UsageError(`There is no scenario «${scenario}»; there are ${scenarios.join(', ')}.`)
  }
  return {
    help: wantsHelp,
    json,
    pairs: pairs === undefined ? undefined : parsePairs(pairs),
    tries: wholeNumber(values, 'tries', { from: 1, to: 1_000 }),
    delay: wholeNumber(values, 'delay', { from: 0, to: 5_000 }),
    seed: wholeNumber(values, 'seed', { from: 0, to: 2 ** 32 - 1 }),
    patience: wholeNumber(values, 'patience', { from: 0, to: 600_000 }),
    file: wholeNumber(values, 'file', { from: 0, to: 1_000 }),
    scenario,
    behaviour: behaviour === undefined ? undefined : parseKinds(behaviour),
  }
}

function parsed(args) {
  try {
    return parseArgs({ args, options: OPTIONS })
  } catch (cause) {
    throw new UsageError(cause.message, { cause })
  }
}

function wholeNumber(values, name, { from, to }) {
  const value = /^\d+$/.test(values[name]) ? Number(values[name]) : Number.NaN
  if (!(value >= from && value <= to)) throw new UsageError(`--${name} takes a whole number from ${from} to ${to}.`)
  return value
}

const parsePairs = (text) => (text === 'all' ? allPairs() : text.split(',').map(parsePair))

function parsePair(text) {
  const pair = text.split(':')
  if (pair.length !== 2) throw new UsageError(`«${text}» is no pair; write two kinds with a colon between them.`)
  return pair.map(knownKind)
}

const parseKinds = (text) => (text === 'all' ? Object.keys(KINDS) : text.split(',').map(knownKind))

function knownKind(name) {
  if (!Object.hasOwn(KINDS, name)) throw new UsageError(`There is no kind «${name}»; there are ${Object.keys(KINDS).join(', ')}.`)
  return name
}
