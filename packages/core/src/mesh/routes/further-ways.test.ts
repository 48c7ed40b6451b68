import { hex } from '@scure/base'
import { sha256 } from '@noble/hashes/sha2.js'
import { expect, it } from 'vitest'
import { noblePrimitives } from '../../e2ee/primitives.ts'
import { MeshLab } from '../../testing/mesh-lab.ts'
import { addressOf, cureKeyOf } from '../../testing/mesh-world.ts'
import { decodeRouteFrame, encodeRouteFrame } from '../../wire/mesh-route.ts'
import type { BundleKey } from '../bundle.ts'
import type { LinkId } from '../neighbour.ts'
import { RouteNode } from './route-node.ts'
import { LOOK_BEYOND_MS } from './route-table.ts'

/** Ana talks to bo over the cables there are at first, and once more after `later` have come. */
async function lab(names: string, cables: readonly string[], later: readonly string[]): Promise<MeshLab> {
  const made = new MeshLab()
  for (const name of names) await made.start(name)
  for (const [at, round] of [cables, later].entries()) {
    for (const [a = '', b = ''] of round) made.connect(a, b)
    await made.run(500)
    made.send('a', 'b', `message ${at}`)
    await made.run(500)
  }
  return made
}

/** Over whom ana's ways lead first. */
const ways = (made: MeshLab): readonly string[] =>
  made
    .node('a')
    .service.status()
    .routes.flatMap((route) => route.ways.map(({ peer }) => peer))
    .toSorted()

it('[ME31] a neighbour that has come leads to another look for a second way', async () => {
  expect(ways(await lab('axyb', ['ax', 'xb'], ['yb', 'ay']))).toEqual(['x', 'y'])
})

it('[ME31] so does one that has come while the first message was on its way', () => {
  const { node, floods, say, answer } = talker()
  node.linkUp('x')
  say('1')
  node.linkUp('y')
  for (const digit of ['1', '2', '3']) {
    if (digit !== '1') say(digit)
    answer(digit)
  }
  expect(floods).toEqual(['1 x', '2 x', '2 y'])
})

it('[ME31] a second way that comes about behind the neighbours is found within five minutes of talking', async () => {
  const made = await lab('axyb', ['ax', 'xb', 'ay'], [])
  expect(ways(made)).toEqual(['x'])
  made.connect('y', 'b')
  const found: string[] = []
  for (let at = 0; at < LOOK_BEYOND_MS; at += 20_000) {
    await made.run(20_000)
    made.send('a', 'b', `word ${at}`)
    await made.run(500)
    found.push(ways(made).join(' '))
  }
  expect([found[0], found.at(-1)]).toEqual(['x', 'x y'])
})

it('[ME31] a shorter way over a node of the first takes its place, so that no two share one', async () => {
  const made = await lab('axyb', ['ax', 'xy', 'yb'], ['ay'])
  expect(ways(made)).toEqual(['y'])
  expect(made.received('b')).toEqual(['message 0', 'message 1'])
})

it('[ME31] there is one look for each neighbour that comes, and none with what is large', async () => {
  const made = await lab('axyb', ['ax', 'xb'], [])
  const bytesIn = (): number => made.node('y').service.status().neighbours[0]?.bytesIn ?? 0
  made.connect('a', 'y')
  await made.run(500)
  const passed: number[] = []
  for (const [at, bytes] of [3_000, 500, 500].entries()) {
    const before = bytesIn()
    made.send('a', 'b', `further ${at}`, bytes)
    await made.run(500)
    passed.push(bytesIn() - before)
  }
  expect(passed.map((bytes) => bytes > 400)).toEqual([false, true, false])
})

it('[ME31] a neighbour that is back in two minutes leads to a further look only if there was one meanwhile, and many to one in a minute', () => {
  const { node, floods, say, answer } = talker()
  node.linkUp('x', { peer: 'x', now: 0 })
  say('0')
  answer('0')
  const links = (['y', 'y', 'y', 'z', 'v', 'w', 'y'] as const).entries()
  for (const [at, peer] of links) {
    const now = 1_000 + at * 20_000
    node.linkUp(`${peer} ${at}`, { peer, now })
    say(`${at + 1}`, now)
    answer(`${at + 1}`, now)
    node.linkDown(`${peer} ${at}`, now + 5_000)
  }
  expect(floods).toEqual(['0 x', '1 x', '1 y 0', '4 x', '4 z 3', '7 x', '7 y 6'])
})

it('[ME31] a neighbour that was away for a moment when another way was looked for is looked over as soon as it is back', () => {
  const { node, floods, say, answer } = talker()
  node.linkUp('x', { peer: 'x', now: 0 })
  node.linkUp('y', { peer: 'y', now: 0 })
  node.linkDown('y', 1_000)
  say('1', 2_000)
  node.linkUp('y again', { peer: 'y', now: 3_000 })
  answer('1', 3_000)
  for (const [at, now] of [4_000, 40_000, 80_000].entries()) {
    say(`${at + 2}`, now)
    answer(`${at + 2}`, now)
  }
  expect(floods).toEqual(['1 x', '2 x', '2 y again'])
})

/** One node that talks to an address behind neighbour x, and all that it floods. */
function talker() {
  const floods: string[] = []
  const send = (link: LinkId, bytes: Uint8Array): void => {
    const frame = decodeRouteFrame(bytes)
    if (frame.kind === 'forward' && frame.flood) floods.push(`${frame.key[0]} ${link}`)
  }
  const nothing = (): undefined => undefined
  const events = { arrived: nothing, proven: nothing, delivered: nothing, stranded: nothing }
  const node = new RouteNode({ addresses: new Set(), primitives: noblePrimitives, send, verdict: () => 'sound', ...events })
  const say = (digit: string, now = 0): void => {
    const lock = hex.encode(sha256(cureKeyOf(digit)).slice(0, 16))
    node.dispatch({ key: digit.repeat(16) as BundleKey, address: addressOf(1), lock, payload: new Uint8Array() }, now)
  }
  const answer = (digit: string, now = 0): void =>
    node.frame('x', encodeRouteFrame({ kind: 'receipt', key: digit.repeat(16), cureKey: cureKeyOf(digit), hops: 1, search: false }), now)
  return { node, floods, say, answer }
}
