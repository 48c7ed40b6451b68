// What a graph has to be before anybody pings over it: nodes become numbers from 0, what is left out is empty, steps have their times.

/**
 * @param graph as the files have it: `nodes` a number or a list of `{ id }`, any ids; `links`, `pings` and `steps` as pairs of ids
 * @returns `{ count, links, pings, steps: [{ at, milliseconds, add, del, pings }] }`, times in milliseconds
 * @throws Error in one line
 */
export function soundGraph(graph) {
  if (graph === null || typeof graph !== 'object' || Array.isArray(graph)) throw new Error('the graph is no object with links')
  const { links = [], pings = [], steps = [], stepSeconds = 0 } = graph
  const every = steps.map(({ add = [], del = [], pings: asked = [] }) => ({ add, del, pings: asked }))
  const index = indexOf(graph, [links, pings, ...every.flatMap(({ add, del, pings: asked }) => [add, del, asked])])
  const pairs = (list, what) => list.map((pair) => pairOf(pair, index, what))
  const at = steps.map(({ t }, number) => (t ?? number * stepSeconds) * 1_000)
  return {
    count: index.size,
    links: pairs(links, 'links'),
    pings: pairs(pings, 'pings'),
    steps: every.map(({ add, del, pings: asked }, number) => ({
      at: at[number],
      milliseconds: (at[number + 1] ?? at[number] + stepSeconds * 1_000) - at[number],
      add: pairs(add, 'links'),
      del: pairs(del, 'links'),
      pings: pairs(asked, 'pings'),
    })),
  }
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
  const places = Array.isArray(pair) ? pair.slice(0, 2).map((id) => index.get(id)) : []
  if (places.length < 2 || places.includes(undefined)) throw new Error(`${what}: ${JSON.stringify(pair)} is no pair of nodes`)
  return places
}
