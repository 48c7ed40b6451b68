import { hex } from '@scure/base'
import { sha256 } from '@noble/hashes/sha2.js'
import {
  type BundleHeader,
  type BundleId,
  bundleKey,
  type CarryingPolicy,
  carryingPolicy,
  type Choice,
  type LinkId,
  MemoryBundleStore,
  MeshNode,
  meshAddress,
  type PolicyName,
} from '../mesh/index.ts'
import { seededRandom } from './seeded-random.ts'

const HOUR_MS = 3_600_000
const primitives = { sha256: (bytes: Uint8Array): Uint8Array => sha256(bytes) }
const text = (value: string): Uint8Array => new TextEncoder().encode(value)

/** The key inside the bundle named `name`, and what its lock is made of. */
export const cureKeyOf = (name: string): Uint8Array => sha256(text(`cure of ${name}`)).slice(0, 16)
export const addressOf = (node: number): BundleHeader['address'] => meshAddress(text(`tag of ${node}`), primitives)

export interface MeshWorldOptions {
  readonly nodes: number
  readonly policy: PolicyName | (() => CarryingPolicy)
  readonly seed?: number
  readonly storeBytes?: number
}

/** Mesh nodes whose links carry everything at once, pumped by hand. */
export class MeshWorld {
  readonly nodes: MeshNode[]
  readonly stores: MemoryBundleStore[]
  /** Control bytes that each node has sent. */
  readonly controlBytes: number[]
  /** Names of bundles that have reached their recipients, in order, once per arrival. */
  readonly arrived: string[] = []
  relays = 0
  now = 500_000 * HOUR_MS
  private readonly links = new Map<LinkId, readonly [number, number]>()
  private readonly names = new Map<string, string>()
  private frames: { readonly link: LinkId; readonly to: number; readonly frame: Uint8Array }[] = []

  constructor({ nodes, policy, seed = 1, storeBytes = 1_000_000 }: MeshWorldOptions) {
    const random = seededRandom(seed)
    this.controlBytes = Array.from({ length: nodes }, () => 0)
    this.stores = this.controlBytes.map(() => new MemoryBundleStore(storeBytes))
    this.nodes = this.stores.map((store, node) => {
      const addresses = new Set([addressOf(node)])
      const own = typeof policy === 'string' ? carryingPolicy(policy) : policy()
      const alias = (): BundleHeader['address'] => addressOf(node)
      return new MeshNode({ alias, addresses, store, policy: own, random, primitives, send: (link, frame) => this.sent(node, link, frame) })
    })
  }

  at(node: number): MeshNode {
    const found = this.nodes[node]
    if (found === undefined) throw new RangeError(`there is no node ${node}`)
    return found
  }

  holders(name: string): number[] {
    const { key } = this.header(name, { to: 0 })
    return this.stores.flatMap((store, node) => (store.has(key) ? [node] : []))
  }

  header(name: string, { to, bytes = 1_000, hours = 5 }: { to: number; bytes?: number; hours?: number }): BundleHeader {
    const id = hex.encode(sha256(text(name))) as BundleId
    this.names.set(bundleKey(id), name)
    const lock = hex.encode(sha256(cureKeyOf(name)).slice(0, 16))
    return { id, key: bundleKey(id), address: addressOf(to), lock, expiresAt: this.now + hours * HOUR_MS, priority: 1, bytes }
  }

  send(name: string, from: number, options: { to: number; bytes?: number; hours?: number }): void {
    this.at(from).originate(this.header(name, options), this.now)
    this.pump()
  }

  /** Two nodes meet for as long as they have something to give each other. */
  meet(a: number, b: number): void {
    const link = this.up(a, b)
    this.settle()
    this.down(link)
  }

  up(a: number, b: number): LinkId {
    const link = `${a}-${b}`
    this.links.set(link, [a, b])
    for (const node of [a, b]) this.at(node).linkUp({ link, bandwidth: 250_000 }, this.now)
    this.pump()
    return link
  }

  down(link: LinkId): void {
    for (const node of this.links.get(link) ?? []) this.at(node).linkDown(link, this.now)
    this.links.delete(link)
  }

  /** Transfers until nobody has anything more to give; fails when that does not end. */
  settle(): void {
    for (let turn = 0; turn < 100_000; turn += 1) if (!this.nodes.some((_, node) => this.transfer(node))) return
    throw new Error('the mesh does not come to rest')
  }

  /** The next bundle of a node, offered and, if it is welcome, handed over. */
  transfer(node: number): boolean {
    const links = [...this.links].filter(([, ends]) => ends.includes(node)).map(([link]) => link)
    const choice = this.at(node).deliverable(links, this.now) ?? this.at(node).carriable(links, this.now)
    if (choice === undefined) return false
    this.hand(node, choice)
    return true
  }

  hand(node: number, choice: Choice): void {
    const receiver = this.other(choice.link, node)
    const answer = this.at(receiver).admit(choice.bundle, this.now)
    if (answer.kind === 'welcome') {
      this.at(node).began(choice)
      this.complete(node, receiver, choice)
    } else this.at(node).refused(choice, answer.kind)
    this.pump()
  }

  other(link: LinkId, node: number): number {
    const [a = 0, b = 0] = this.links.get(link) ?? []
    return a === node ? b : a
  }

  /** Lets control frames arrive, in order. */
  pump(): void {
    for (let next = this.frames.shift(); next !== undefined; next = this.frames.shift())
      this.at(next.to).control(next.link, next.frame, this.now)
  }

  private complete(node: number, receiver: number, choice: Choice): void {
    this.relays += 1
    const name = this.names.get(choice.bundle.key) ?? ''
    if (!this.at(receiver).received(this.at(node).finished(choice), choice.link, this.now)) return
    this.arrived.push(name)
    this.at(receiver).cure(cureKeyOf(name), choice.bundle.expiresAt, this.now)
  }

  private sent(node: number, link: LinkId, frame: Uint8Array): void {
    this.controlBytes[node] = (this.controlBytes[node] ?? 0) + frame.length
    this.frames.push({ link, to: this.other(link, node), frame })
  }
}
