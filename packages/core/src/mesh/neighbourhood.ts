/** The neighbours of a node, and what it says to them. */
import type { MeshControlFields } from '../wire/mesh.ts'
import type { BundleKey, MeshAddress } from './bundle.ts'
import { controlFrames } from './control.ts'
import type { LinkId, LinkInfo, Neighbour } from './neighbour.ts'

type Send = (link: LinkId, frame: Uint8Array) => void

export class Neighbourhood {
  private readonly neighbours = new Map<LinkId, Neighbour>()
  private readonly send: Send
  private count = 0

  constructor(send: Send) {
    this.send = send
  }

  up(info: LinkInfo, ownAlias: MeshAddress, now: number): void {
    this.neighbours.set(info.link, {
      ...info,
      peer: info.peer ?? info.link,
      order: this.count++,
      since: now,
      ownAlias,
      alias: undefined,
      addresses: new Set(),
      has: new Set(),
      asked: new Set(),
      refused: new Set(),
      pieces: new Set(),
      partials: new Map(),
      prospects: new Map(),
      experience: [],
      reconciliation: undefined,
      comparedAt: 0,
    })
  }

  down(link: LinkId): void {
    this.neighbours.delete(link)
  }

  get(link: LinkId): Neighbour | undefined {
    return this.neighbours.get(link)
  }

  all(): Iterable<Neighbour> {
    return this.neighbours.values()
  }

  /** Those at the other end of `links`, the longest-lived link first. */
  served(links: readonly LinkId[]): Neighbour[] {
    const neighbours = links.map((link) => this.neighbours.get(link)).filter((each) => each !== undefined)
    return neighbours.sort((a, b) => a.order - b.order)
  }

  say(link: LinkId, said: Partial<MeshControlFields>): void {
    for (const frame of controlFrames(said)) this.send(link, frame)
  }

  sayToAll(said: Partial<MeshControlFields>, except?: LinkId): void {
    for (const link of this.neighbours.keys()) if (link !== except) this.say(link, said)
  }
}

/** Entries kept of what one neighbour says, per kind (ME8): beyond, the first ones are forgotten. */
export const MAX_SAID = 65_536
/** The same of whom it has met: each is gone through when it is met. */
export const MAX_PROSPECTS = 4_096

/** Takes up what a neighbour says of itself. */
export function takeUp(neighbour: Neighbour, said: MeshControlFields): void {
  neighbour.refused.clear()
  for (const key of said.gained) neighbour.has.add(key as BundleKey)
  for (const key of said.lost) neighbour.has.delete(key as BundleKey)
  takeUpAddresses(neighbour, said.addresses as readonly MeshAddress[])
  for (const { address, value } of said.prospects) neighbour.prospects.set(address as MeshAddress, value)
  for (const entries of [neighbour.has, neighbour.addresses, neighbour.partials, neighbour.pieces]) bound(entries)
  bound(neighbour.prospects, MAX_PROSPECTS)
  if (said.experience.length > 0) neighbour.experience = said.experience
  for (const { key, bytes } of said.partials) neighbour.partials.set(key as BundleKey, bytes)
}

/** The first one ever is its alias. Whoever begins with that again tells all that are its own now: yesterday's are its no more. */
function takeUpAddresses(neighbour: Neighbour, said: readonly MeshAddress[]): void {
  neighbour.alias ??= said[0]
  const isAll = said[0] === neighbour.alias
  if (isAll) neighbour.addresses.clear()
  for (const address of isAll ? said.slice(1) : said) neighbour.addresses.add(address)
}

/** Forgets the first entries beyond so many. */
export function bound(entries: Pick<Map<unknown, unknown>, 'size' | 'keys'> & { delete(key: never): boolean }, most = MAX_SAID): void {
  for (const key of entries.keys()) {
    if (entries.size <= most) return
    entries.delete(key as never)
  }
}
