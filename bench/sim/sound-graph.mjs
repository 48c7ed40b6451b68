// What a graph has to be before anybody pings over it: nodes become numbers from 0, what is left out is empty, steps have their times.
import { readFileSync } from 'node:fs'

/** Where a graph names no pairs: all of them, unless these are more; then, and for each step, so many by chance, as in the given files. */
const MOST_PAIRS = 2_500
const SOME_PAIRS = 200
/** In the place of an id that a pair lacks; no graph has it. */
const NOBODY = Symbol('nobody')

/** @throws Error in one line */
export function readGraph(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Error(`${file} holds no graph: ${error.message.replaceAll(/\s+/g, ' ')}`)
  }
}

/**
 * @param graph as the files have it: `nodes` a number or a list of `{ id }`, any ids; `links`, `pings` and `steps` as pairs of ids
 * @param {{ uniform(): number }} random chooses who pings whom where the graph does not say
 * @param {(text: string) => void} [say] is told what is not as the graph has it
 * @returns `{ count, links, pings, steps: [{ at, milliseconds, add, del, pings }] }`, times in milliseconds
 * @throws Error in one line
 */
export function soundGraph(graph, random, say = (text) => process.stderr.write(`${text}\n`)) {
  if (graph === null || typeof graph !== 'object' || Array.isArray(graph)) throw new Error('the graph is no object with links')
  const { links, pings, steps } = listed(graph)
  const index = indexOf(graph, [links, pings, ...steps.flatMap(({ add, del, pings: asked }) => [add, del, asked])])
  const pairs = (list, what) => list.map((pair) => pairOf(pair, index, what))
  const sound = {
    count: index.size,
    links: pairs(links, 'links'),
    pings: pairs(pings, 'pings'),
    steps: steps.map(({ add, del, pings: asked, ...times }) => ({
      ...times,
      add: pairs(add, 'links'),
      del: pairs(del, 'links'),
      pings: pairs(asked, 'pings'),
    })),
  }
  const isAsked = sound.pings.length + sound.steps.reduce((sum, { pings: asked }) => sum + asked.length, 0) > 0
  return isAsked ? sound : asking(sound, random, say)
}

/** Its lists of pairs, and when its steps are. */
function listed({ links = [], pings = [], steps = [], stepSeconds = 0 }) {
  const at = timesOf(steps, stepSeconds)
  return {
    links: links.map(asPair),
    pings: pings.map(asPair),
    steps: steps.map(({ add = [], del = [], pings: asked = [] }, number) => ({
      at: at[number],
      milliseconds: (at[number + 1] ?? at[number] + stepSeconds * 1_000) - at[number],
      add: add.map(asPair),
      del: del.map(asPair),
      pings: asked.map(asPair),
    })),
  }
}

function timesOf(steps, stepSeconds) {
  const at = steps.map(({ t }, number) => (t ?? (number > 0 && !(stepSeconds > 0) ? Number.NaN : number * stepSeconds)) * 1_000)
  const wrong = at.findIndex((time, number) => !(time >= (at[number - 1] ?? 0)))
  if (wrong !== -1)
    throw new Error(`the graph has no time for step ${wrong}, or one before that of the last: a step needs t, or all stepSeconds`)
  return at
}

/** As meshnet-lab writes links. */
function asPair(pair) {
  return pair?.source === undefined ? pair : [pair.source, pair.target]
}

/** Places of the ids: those that are listed, or as many as are said, or those that occur. */
function indexOf({ nodes }, lists) {
  const occur = [...new Set(lists.flat(2))].toSorted((a, b) => a - b)
  const counted = Array.from({ length: typeof nodes === 'number' ? nodes : 0 }, (_, at) => at)
  const ids = Array.isArray(nodes) ? nodes.map((node) => node?.id ?? node) : occur.every((id) => counted[id] === id) ? counted : occur
  if (ids.length === 0) throw new Error('the graph has no nodes')
  return new Map(ids.map((id, at) => [id, at]))
}

function pairOf(pair, index, what) {
  const places = Array.isArray(pair) ? pair.slice(0, 2).map((id) => index.get(id ?? NOBODY)) : []
  if (places.length < 2 || places.includes(undefined)) throw new Error(`${what}: ${JSON.stringify(pair)} is no pair of nodes`)
  return places
}

/** The same graph with pings. */
function asking(graph, random, say) {
  const { count, steps } = graph
  const isAll = steps.length === 0 && count * (count - 1) <= MOST_PAIRS
  say(
    `the graph names no pings: ${isAll ? 'all pairs' : `${SOME_PAIRS} pairs by chance`} are taken${steps.length > 0 ? ' for each step' : ''}`,
  )
  if (isAll) return { ...graph, pings: allPairs(count) }
  const some = () => Array.from({ length: count > 1 ? SOME_PAIRS : 0 }, () => somePair(count, random))
  return steps.length === 0 ? { ...graph, pings: some() } : { ...graph, steps: steps.map((step) => ({ ...step, pings: some() })) }
}

function allPairs(count) {
  const nodes = Array.from({ length: count }, (_, at) => at)
  return nodes.flatMap((from) => nodes.filter((to) => to !== from).map((to) => [from, to]))
}

function somePair(count, random) {
  const from = Math.floor(random.uniform() * count)
  return [from, (from + 1 + Math.floor(random.uniform() * (count - 1))) % count]
}
