import { hex } from '@scure/base'
import { sha256 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressOf, cureKeyOf } from '../../testing/mesh-world.ts'
import { seededRandom } from '../../testing/seeded-random.ts'
import { decodeRouteFrame, encodeRouteFrame } from '../../wire/mesh-route.ts'
import { type BundleId, type BundleKey, bundleKey } from '../bundle.ts'
import { type Dispatch, RouteNode } from './route-node.ts'
import { MAX_ROUTED, RouteTable } from './route-table.ts'

type Edge = readonly [number, number]
const primitives = { sha256: (bytes: Uint8Array): Uint8Array => sha256(bytes) }
const MINUTE_MS = 60_000

/** Nodes whose frames all arrive at once, in order, unless somebody swallows them. */
class RouteWorld {
  readonly nodes: RouteNode[]
  readonly delivered: string[] = []
  readonly stranded: string[] = []
  /** Recipients in order of arrival. */
  readonly arrived: number[] = []
  frames = 0
  now = 1_000_000
  readonly swallows = new Set<number>()
  /** What bytes cost on links; nothing on others. */
  readonly prices = new Map<string, number>()
  /** Whole bundles that have gone over each link. */
  readonly copies = new Map<string, number>()
  private readonly links = new Map<string, Edge>()
  private readonly names = new Map<string, string>()
  private queue: { readonly link: string; readonly to: number; readonly frame: Uint8Array }[] = []

  /** @param isShared whether all links are one radio's */
  constructor(count: number, edges: readonly Edge[], isShared = false) {
    this.nodes = Array.from(
      { length: count },
      (_, node) =>
        new RouteNode({
          addresses: new Set([addressOf(node)]),
          primitives,
          send: (link, frame) => this.sent(node, link, frame),
          verdict: ({ payload }) => (payload.length === 0 ? 'sound' : 'forged'),
          proven: () => undefined,
          random: seededRandom(node),
          isShared: () => isShared,
          costOf: (link) => this.prices.get(link) ?? 0,
          arrived: ({ key }) => this.arrive(node, key),
          delivered: (key) => this.delivered.push(this.names.get(key) ?? ''),
          stranded: (key) => this.stranded.push(this.names.get(key) ?? ''),
        }),
    )
    for (const edge of edges) this.up(edge)
  }

  at(node: number): RouteNode {
    const found = this.nodes[node]
    if (found === undefined) throw new RangeError(`there is no node ${node}`)
    return found
  }

  up([a, b]: Edge): void {
    this.links.set(`${a}-${b}`, [a, b])
    for (const node of [a, b]) this.at(node).linkUp(`${a}-${b}`)
  }

  down([a, b]: Edge): void {
    this.links.delete(`${a}-${b}`)
    for (const node of [a, b]) this.at(node).linkDown(`${a}-${b}`)
  }

  /** Nodes from `from` to `to` by routes, over `link` at first. */
  walk(from: number, link: string, to: number): number[] {
    const ends = this.links.get(link) ?? [from, from]
    const at = ends[0] === from ? ends[1] : ends[0]
    if (at === to) return [at]
    const [next] = this.at(at).ways(addressOf(to), this.now)
    return next === undefined ? [at] : [at, ...this.walk(at, next.link, to)]
  }

  send(name: string, from: number, to: number, over?: string): void {
    const key = bundleKey(hex.encode(sha256(new TextEncoder().encode(name))) as BundleId)
    this.names.set(key, name)
    const lock = hex.encode(sha256(cureKeyOf(name)).slice(0, 16))
    const dispatch: Dispatch = { key, address: addressOf(to), lock, payload: new Uint8Array(), ...(over === undefined ? {} : { over }) }
    this.at(from).dispatch(dispatch, this.now)
    this.pump()
  }

  pass(milliseconds: number): void {
    for (const end = this.now + milliseconds; this.now < end; ) {
      this.now += 10
      for (const node of this.nodes) node.tick(this.now)
      this.pump()
    }
  }

  pump(): void {
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
      this.frames += 1
      if (!this.swallows.has(next.to)) this.at(next.to).frame(next.link, next.frame, this.now)
    }
  }

  private arrive(node: number, key: BundleKey): Uint8Array {
    this.arrived.push(node)
    return cureKeyOf(this.names.get(key) ?? '')
  }

  private sent(node: number, link: string, frame: Uint8Array): void {
    const ends = this.links.get(link)
    if (decodeRouteFrame(frame).kind === 'forward') this.copies.set(link, (this.copies.get(link) ?? 0) + 1)
    if (ends !== undefined) this.queue.push({ link, to: ends[0] === node ? ends[1] : ends[0], frame })
  }
}

const line = (count: number): Edge[] => Array.from({ length: count - 1 }, (_, at): Edge => [at, at + 1])
const ring = (count: number): Edge[] => [...line(count), [0, count - 1]]

describe('routes', () => {
  it('[ME12] the first bundle floods, its receipt teaches the way, the next one follows it', () => {
    const world = new RouteWorld(8, ring(8))
    world.send('first', 0, 3)
    const flood = world.frames
    world.send('second', 0, 3)
    expect(world.delivered).toEqual(['first', 'second'])
    expect(world.frames - flood).toBe(6)
    expect(flood).toBeGreaterThan(6)
  })

  it('[ME45] where air is shared whoever passes a flood on waits, and keeps still where somebody has spoken', () => {
    const everybody = Array.from({ length: 6 }, (_, a) => Array.from({ length: a }, (_one, b): Edge => [b, a])).flat()
    const [radio, cables] = [true, false].map((isShared) => {
      const world = new RouteWorld(7, [...everybody, [5, 6]], isShared)
      world.send('first', 0, 6)
      expect(world.delivered).toHaveLength(isShared ? 0 : 1)
      world.pass(390)
      expect(world.delivered).toEqual(['first'])
      return [...world.copies.values()].reduce((sum, count) => sum + count, 0)
    })
    // Between two of the five in one direction, mostly.
    expect([(radio ?? 0) <= 5 + 1 + 14, cables]).toEqual([true, 5 + 1 + 20])
  })

  it('[ME31] a flood teaches ways that share no node, each over a link of its own', () => {
    const world = new RouteWorld(9, [
      ...([0, 3, 6].flatMap((at) => [
        [at, at + 1],
        [at + 1, at + 2],
      ]) as Edge[]),
      ...([0, 1, 2, 3, 4, 5].map((at) => [at, at + 3]) as unknown as Edge[]),
    ])
    world.send('first', 0, 8)
    const ways = world.at(0).ways(addressOf(8), world.now)
    expect(ways.map(({ link }) => link).toSorted()).toEqual(['0-1', '0-3'])
    const passed = ways.map(({ link }) => world.walk(0, link, 8))
    expect(passed[0]?.filter((node) => passed[1]?.includes(node))).toEqual([8])
  })

  it('[ME31] whoever hangs together by one node learns one way, whatever is round it', () => {
    const world = new RouteWorld(7, [...ring(4), [2, 4], [4, 5], [4, 6], [5, 6]])
    world.send('first', 0, 6)
    expect(world.delivered).toEqual(['first'])
    expect(world.at(0).ways(addressOf(6), world.now)).toHaveLength(1)
  })

  it('[ME31] of two ways the one that is named is taken, and another when it has gone', () => {
    const world = new RouteWorld(6, ring(6))
    world.send('first', 0, 3)
    const [best, other] = world.at(0).ways(addressOf(3), world.now)
    const before = world.frames
    world.send('second', 0, 3, other?.link)
    expect(world.frames - before).toBe(6)
    expect(world.walk(0, other?.link ?? '', 3)).not.toContain(world.walk(0, best?.link ?? '', 3)[0])
    world.down([0, 5])
    world.down([0, 1])
    world.up([0, 1])
    world.send('third', 0, 3, other?.link)
    world.pass(2_000)
    expect(world.delivered).toEqual(['first', 'second', 'third'])
  })

  it('[ME39] a few hops more are taken rather than a link that costs something, and that one where there is nothing else', () => {
    const world = new RouteWorld(5, [...line(4), [0, 3], [3, 4]])
    world.prices.set('0-3', 1)
    world.send('first', 0, 3)
    world.pass(400)
    world.send('second', 0, 3)
    expect(world.delivered).toEqual(['first', 'second'])
    expect(world.at(0).ways(addressOf(3), world.now)[0]?.link).toBe('0-1')
    world.down([1, 2])
    world.send('third', 0, 3)
    world.pass(2_000)
    expect(world.delivered).toEqual(['first', 'second', 'third'])
    expect(world.at(0).ways(addressOf(3), world.now)[0]?.link).toBe('0-3')
  })

  it('[ME39] over a link that costs something a flood goes as a word, and whole to whoever lacks it', () => {
    const world = new RouteWorld(5, [...ring(4), [0, 2], [3, 4]])
    world.prices.set('0-2', 1)
    world.send('first', 0, 1)
    world.pass(500)
    expect(world.copies.get('0-2') ?? 0).toBe(0)
    const lonely = new RouteWorld(2, [[0, 1]])
    lonely.prices.set('0-1', 1)
    lonely.send('m', 0, 1)
    lonely.pass(100)
    expect([lonely.delivered, lonely.copies.get('0-1')]).toEqual([['m'], 1])
  })

  it('[ME12] those on the way have learned the route too', () => {
    const world = new RouteWorld(6, line(6))
    world.send('first', 0, 5)
    const before = world.frames
    world.send('second', 2, 5)
    expect(world.delivered).toEqual(['first', 'second'])
    expect(world.frames - before).toBe(6)
  })

  it('[ME12] reaches as far as the hop limit and no farther', () => {
    const world = new RouteWorld(70, line(70))
    world.send('near', 0, 64)
    world.send('far', 0, 65)
    world.pass(10_000)
    expect(world.delivered).toEqual(['near'])
    expect(world.stranded).toEqual(['far'])
  })

  it('[ME12] what finds no path is left to be carried, after four tries', () => {
    const world = new RouteWorld(3, [[0, 1]])
    world.send('m', 0, 2)
    world.pass(5_900)
    expect(world.stranded).toEqual([])
    world.pass(200)
    expect(world.stranded).toEqual(['m'])
    expect(world.frames).toBe(4)
  })

  it('[ME13] a receipt without the key of the lock teaches nothing and delivers nothing', () => {
    const world = new RouteWorld(3, [
      [0, 1],
      [1, 2],
    ])
    world.swallows.add(2)
    world.send('m', 0, 2)
    const key = bundleKey(hex.encode(sha256(new TextEncoder().encode('m'))) as BundleId)
    for (const node of [0, 1]) {
      world
        .at(node)
        .frame('0-1', encodeRouteFrame({ kind: 'receipt', key, cureKey: cureKeyOf('other'), hops: 0, search: false }), world.now)
      expect([...world.at(node).routes(world.now)]).toEqual([])
    }
    expect(world.delivered).toEqual([])
  })

  it('[ME31] a search that nobody has made, or a try with a higher number, turns no receipt to whoever sends it', () => {
    for (const forged of ['search', 'forward'] as const) {
      const world = new RouteWorld(6, [...line(5), [5, 1], [5, 2], [5, 3]])
      world.swallows.add(4)
      world.send('m', 0, 4)
      world.swallows.delete(4)
      const key = bundleKey(hex.encode(sha256(new TextEncoder().encode('m'))) as BundleId)
      const lock = hex.encode(sha256(cureKeyOf('m')).slice(0, 16))
      const passing = { kind: 'forward', key, address: addressOf(4), lock, payload: new Uint8Array(), flood: true, hopLimit: 9 } as const
      for (const at of [1, 2, 3])
        for (const attempt of [5, 4_000_000_000]) {
          const search = { kind: 'search', key, attempt, hopLimit: 60 } as const
          world.at(at).frame(`5-${at}`, encodeRouteFrame(forged === 'search' ? search : { ...passing, attempt }), world.now)
        }
      world.swallows.add(5)
      world.at(4).frame('3-4', encodeRouteFrame({ ...passing, attempt: 1 }), world.now)
      world.pump()
      expect(world.delivered).toEqual(['m'])
    }
  })

  it('[ME13] a black hole on the route is gone round, and avoided after', () => {
    const world = new RouteWorld(6, [...ring(5), [1, 5]])
    world.send('first', 0, 2)
    world.swallows.add(1)
    world.send('second', 0, 2)
    world.pass(1_000)
    const before = world.frames
    world.send('third', 0, 2)
    expect(world.delivered).toEqual(['first', 'second', 'third'])
    expect(world.frames - before).toBe(6)
  })

  it('[ME14] a node that drops out is gone round within two seconds', () => {
    const world = new RouteWorld(8, ring(8))
    world.send('first', 0, 3)
    world.down([1, 2])
    world.send('second', 0, 3)
    world.pass(2_000)
    expect(world.delivered).toEqual(['first', 'second'])
  })

  it('[ME14] whatever the graph: what is connected is reached, and nobody passes one try on twice', () => {
    const edge = fc.tuple(fc.nat(9), fc.nat(9)).filter(([a, b]) => a < b)
    fc.assert(
      fc.property(fc.uniqueArray(edge, { maxLength: 25, selector: String }), fc.array(edge, { maxLength: 10 }), (edges, pairs) => {
        const world = new RouteWorld(10, edges)
        for (const [at, [from, to]] of pairs.entries()) {
          const before = world.frames
          world.send(`m${at}`, from, to)
          // Each way at most one copy or a word, a word back and a search; then receipts.
          expect(world.frames - before).toBeLessThanOrEqual(6 * edges.length + 30)
        }
        world.pass(10_000)
        expect(world.delivered).toHaveLength(pairs.filter(([from, to]) => connected(edges, from, to)).length)
      }),
      { numRuns: 200 },
    )
  })

  it('[ME15] arbitrary frames are refused or read, and teach nothing', () => {
    const world = new RouteWorld(3, line(3))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          world.at(1).frame('0-1', bytes, world.now)
        } catch (error) {
          expect(error).toMatchObject({ code: 'BAD_FRAME' })
        }
        expect([...world.at(1).routes(world.now)]).toEqual([])
      }),
    )
  })

  it('[ME15] routes are bounded, and forgotten after a minute without a proof', () => {
    const table = new RouteTable()
    for (let at = 0; at <= MAX_ROUTED; at += 1) table.prove(addressOf(at), { link: 'l', hops: 1, now: 1_000 })
    expect([...table.all(1_000)]).toHaveLength(MAX_ROUTED)
    expect(table.best(addressOf(0), 1_000)).toBeUndefined()
    expect(table.best(addressOf(1), 1_000 + MINUTE_MS - 1)?.link).toBe('l')
    expect(table.best(addressOf(1), 1_000 + MINUTE_MS)).toBeUndefined()
    expect([...table.all(1_000 + MINUTE_MS)]).toEqual([])
    table.prove(addressOf(1), { link: 'l', hops: 1, now: 2_000 })
    table.expire(1_000 + MINUTE_MS)
    expect(table.size).toBe(1)
  })

  it('[ME13] [ME15] what is told of routes is what would be used, the best way first', () => {
    const table = new RouteTable()
    for (const [link, hops, now] of [
      ['near', 2, 1],
      ['far', 5, 2],
      ['failing', 3, 3],
    ] as const)
      table.prove(addressOf(1), { link, hops, now })
    table.prove(addressOf(2), { link: 'failing', hops: 1, now: 3 })
    for (const at of [1, 2, 1, 2]) table.fail(addressOf(at), 'failing')
    const told = (now: number) => [...table.all(now)].map(([address, ways]) => [address, ways.map(({ link }) => link)])
    expect(told(4)).toEqual([[addressOf(1), ['near', 'far']]])
    expect(told(1 + MINUTE_MS)).toEqual([[addressOf(1), ['far']]])
  })

  it('[ME15] of many ways three are kept, and the best is the shortest that holds', () => {
    const table = new RouteTable()
    for (const [link, hops] of [
      ['a', 5],
      ['b', 2],
      ['c', 3],
      ['d', 9],
    ] as const)
      table.prove(addressOf(1), { link, hops, now: 1 })
    expect(table.best(addressOf(1), 2)?.link).toBe('b')
    table.fail(addressOf(1), 'b')
    expect(table.best(addressOf(1), 2)?.link).toBe('c')
    expect([...table.all(2)][0]?.[1]).toHaveLength(3)
  })
})

describe('route frames', () => {
  it('[ME15] come back as they were', () => {
    const key = '00112233445566aa'
    const forward = {
      kind: 'forward',
      key,
      attempt: 2,
      address: 7,
      lock: 'ab'.repeat(16),
      hopLimit: 9,
      flood: true,
      payload: Uint8Array.of(1),
    } as const
    const receipt = { kind: 'receipt', key, cureKey: new Uint8Array(16).fill(3), hops: 4, search: true } as const
    const search = { kind: 'search', key, attempt: 3, hopLimit: 5 } as const
    for (const frame of [forward, receipt, search]) expect(decodeRouteFrame(encodeRouteFrame(frame))).toEqual(frame)
  })
})

function connected(edges: readonly Edge[], from: number, to: number): boolean {
  const reached = new Set([from])
  for (let size = 0; size < reached.size; ) {
    size = reached.size
    for (const [a, b] of edges) if (reached.has(a) || reached.has(b)) reached.add(a).add(b)
  }
  return reached.has(to)
}
