// Traces and graphs made on the spot, for the tests of the simulations.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { carryingPolicy, MemoryBundleStore } from '@skein/core'
import { seededRandom } from '@skein/core/testing'
import { identityOf, sha256, START_MS } from './identities.mjs'

export { seededRandom }

/** A folder that goes with the scope that uses it. */
export function folder() {
  const path = mkdtempSync(join(tmpdir(), 'skein-sim-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** Header lines and rows, as the files have them. */
export function writeTrace(path, { meta = {}, contacts, messages }) {
  const header = Object.entries(meta).map(([key, value]) => `# ${key}=${JSON.stringify(value)}`)
  const write = (name, columns, rows) =>
    writeFileSync(join(path, `${name}.csv.gz`), gzipSync([...header, columns, ...rows.map((row) => row.join(','))].join('\n')))
  write('contacts', 't,a,b,state,bps', contacts)
  write('messages', 't,id,from,to,bytes', messages)
  return path
}

export const META = { nodes: 12, duration_s: 3_600, radio_bps: 250_000, buffer_bytes: 500_000, ttl_s: 3_600 }

/** Meetings of a minute by chance, a message every twenty seconds for half an hour. */
export function crowd(path, seed = 1) {
  const random = seededRandom(seed)
  const someone = () => Math.floor(random.uniform() * META.nodes)
  const contacts = []
  for (let t = 60; t < META.duration_s; t += 40) {
    const [a, b] = [someone(), someone()]
    if (a !== b)
      contacts.push([t, Math.min(a, b), Math.max(a, b), 'up', 250_000], [t + 60, Math.min(a, b), Math.max(a, b), 'down', 250_000])
  }
  const messages = Array.from({ length: 100 }, (_, at) => [
    at * 10,
    `m${at}`,
    at % 12,
    (at + 1 + Math.floor(random.uniform() * 11)) % 12,
    4_000,
  ])
  return writeTrace(path, { meta: META, contacts: contacts.toSorted((x, y) => x[0] - y[0]), messages })
}

/** A file with a graph. */
export function writeGraph(path, graph) {
  const file = join(path, 'graph.json')
  writeFileSync(file, JSON.stringify(graph))
  return file
}

/** `side` times `side` nodes, each linked to its neighbours. @param id of a place */
export function grid(side, id = (at) => at) {
  const places = Array.from({ length: side * side }, (_, at) => at)
  const right = places.filter((at) => at % side < side - 1).map((at) => [id(at), id(at + 1)])
  const below = places.filter((at) => at + side < side * side).map((at) => [id(at), id(at + side)])
  const pings = places.map((at) => [id(at), id(side * side - 1 - at)]).filter(([from, to]) => from !== to)
  return { nodes: places.map((at) => ({ id: id(at) })), links: [...right, ...below], pings }
}

/** A node of some class that holds bundles for somebody else, and has a neighbour on the link `l`. */
export function holder(Node, bundles) {
  const store = new MemoryBundleStore(1_000_000)
  const policy = carryingPolicy('epidemic')
  const node = new Node({ addresses: new Set([1]), store, policy, random: seededRandom(1), primitives: { sha256 }, send: () => undefined })
  node.linkUp({ link: 'l', bandwidth: 1 }, START_MS)
  for (let number = 0; number < bundles; number += 1) {
    const { cureKey: _, ...identity } = identityOf(`m${number}`)
    node.originate({ ...identity, address: 2, expiresAt: START_MS + 3_600_000, priority: 1, bytes: 100 }, START_MS)
  }
  return { node, store }
}
