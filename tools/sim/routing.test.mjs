import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { simulate as gossip } from '../../bench/sim/gossip.mjs'
import { numberOf } from '../../bench/sim/number-of.mjs'
import { simulate } from '../../bench/sim/routing.mjs'
import { folder, grid, seededRandom, writeGraph } from '../../bench/sim/small-traces.mjs'
import { soundGraph } from '../../bench/sim/sound-graph.mjs'

const run = (place, graph, carrying = 'on') => simulate({ graph: writeGraph(place.path, graph), seed: '1', carrying })
const line = (count, first = 0) => Array.from({ length: count - 1 }, (_, at) => [first + at, first + at + 1])

describe('pings over a graph', () => {
  it('reach everybody on a grid and on a line, at once', async () => {
    using place = folder()
    expect(await run(place, grid(4))).toMatchObject({ reach: 1, converged_s: expect.closeTo(0.01, 1) })
    expect(
      await run(place, {
        nodes: 20,
        links: line(20),
        pings: [
          [0, 19],
          [19, 0],
        ],
      }),
    ).toMatchObject({ reach: 1 })
  })

  it('whatever the nodes are called, and whatever a graph leaves out', async () => {
    using place = folder()
    const { bytes_per_node: bytes } = await run(place, grid(3))
    expect(
      await run(
        place,
        grid(3, (at) => at * 1_000 + 7),
      ),
    ).toMatchObject({ reach: 1, bytes_per_node: bytes })
    expect(
      await run(
        place,
        grid(3, (at) => `node ${at}`),
      ),
    ).toMatchObject({ reach: 1 })
    expect(await run(place, { nodes: 4, links: line(4, 1), pings: [[1, 4]] })).toMatchObject({ reach: 1 })
    expect(
      await run(place, {
        links: [
          [5, 9],
          [5, 9],
          [9, 5],
          [5, 5],
        ],
        pings: [[5, 9]],
      }),
    ).toMatchObject({ reach: 1 })
    expect(await run(place, { nodes: 3, pings: [[0, 1]] })).toMatchObject({ reach: 0, converged_s: null })
    expect(await run(place, { nodes: 1 })).toMatchObject({ reach: null, converged_s: null })
  })

  it('over one that moves: it has converged when nearly all pairs were reached once, by the times of its steps', async () => {
    using place = folder()
    const steps = [
      {
        t: 0,
        pings: [
          [0, 1],
          [0, 2],
        ],
      },
      { t: 40, add: [[1, 2]] },
      { t: 60, pings: [[0, 2]] },
    ]
    const { converged_s: seconds, reach } = await run(place, { nodes: 3, links: [[0, 1]], stepSeconds: 20, steps }, 'off')
    expect(seconds).toBeGreaterThan(60)
    expect(seconds).toBeLessThan(61)
    expect(reach).toBeCloseTo(2 / 3)
    // What waits is carried as soon as there is a link.
    expect((await run(place, { nodes: 3, links: [[0, 1]], stepSeconds: 20, steps })).converged_s).toBeLessThan(41)
  })

  it('are between all pairs where a graph names none, or some by chance, and it is said', () => {
    const said = []
    const sound = (graph) => soundGraph(graph, seededRandom(1), (text) => said.push(text))
    const links = [
      { source: 'a', target: 'b' },
      { source: 'b', target: 'c' },
    ]
    expect(sound({ nodes: [{ id: 'a' }, { id: 'b' }, { id: 'c' }], links })).toMatchObject({
      links: [
        [0, 1],
        [1, 2],
      ],
      pings: expect.objectContaining({ length: 6 }),
    })
    expect(said).toEqual([expect.stringContaining('all pairs')])
    const { pings, steps } = sound({ nodes: 3, links: line(3), stepSeconds: 5, steps: [{}, {}] })
    expect([pings, ...steps.map((step) => step.pings)].map(({ length }) => length)).toEqual([0, 200, 200])
    expect(steps.flatMap((step) => step.pings).every(([from, to]) => from !== to && from < 3 && to < 3)).toBe(true)
    const { pings: some } = sound({ nodes: 80, links: line(80) })
    expect(some.length).toBe(200)
    expect(said.length).toBe(3)
    sound({ nodes: 2, links: line(2), pings: [[0, 1]] })
    expect(said.length).toBe(3)
  })

  it('are refused in one line where steps have no times', async () => {
    using place = folder()
    const pings = [[0, 1]]
    for (const steps of [
      [{ pings }, { pings }],
      [
        { t: 9, pings },
        { t: 3, pings },
      ],
    ]) {
      const error = await run(place, { nodes: 2, links: line(2), steps }).catch((reason) => reason)
      expect(error.message).toMatch(/^the graph has no time for step 1[^\n]*$/)
    }
    expect(await run(place, { nodes: 2, links: line(2), steps: [{ pings }] })).toMatchObject({ reach: 1 })
  })

  it('are refused in one line where a file is none', async () => {
    using place = folder()
    const file = join(place.path, 'graph.json')
    writeFileSync(file, '{\n"links": [\n[0, 1\n')
    for (const graph of [file, join(place.path, 'nowhere.json')]) {
      const error = await simulate({ graph, seed: '1' }).catch((reason) => reason)
      expect(error.message).toMatch(/holds no graph: [^\n]*$/)
    }
  })

  it('are refused in one line where they are none', async () => {
    using place = folder()
    const lacking = [{ links: [{ source: 'a' }] }, { links: [[0, null]] }]
    for (const graph of [{}, [], null, { nodes: 2, links: [[0]] }, { nodes: [{ id: 1 }], pings: [[1, 2]] }, ...lacking]) {
      const error = await run(place, graph).catch((reason) => reason)
      expect(error.message).toMatch(/^(the graph|links|pings)[^\n]*$/)
    }
  })
})

describe('floods', () => {
  it('reach all of a small network, with fewer copies than gossipsub needs', async () => {
    const { hybrid, gossipsub } = await gossip({ nodes: '60', degree: '6', bytes: '256', messages: '40', seed: '1' })
    expect([hybrid.reach, gossipsub.reach]).toEqual([1, 1])
    expect(hybrid.duplicates).toBeLessThan(gossipsub.duplicates)
  })
})

it('whole numbers are taken where things are counted, and parts where a share is meant', () => {
  expect(() => numberOf('--nodes', '30.5')).toThrow('--nodes takes a whole number from 0 to')
  expect([numberOf('--nodes', '30'), numberOf('--share', '0.3', { most: 1, isShare: true })]).toEqual([30, 0.3])
})
