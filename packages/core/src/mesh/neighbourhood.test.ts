import { describe, expect, it } from 'vitest'
import { primitives } from '../testing/mesh-frames.ts'
import { cureKeyOf } from '../testing/mesh-lab.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import type { BundleHeader, BundleId, BundleKey, MeshAddress } from './bundle.ts'
import { MemoryBundleStore } from './bundle-store.ts'
import type { Cure } from './cure-book.ts'
import { MeshNode } from './mesh-node.ts'
import { carryingPolicy } from './policies/index.ts'

const DAY_MS = 86_400_000
const LINK = 'link'

/** Two nodes on one link, each with addresses that can change. */
class Two {
  readonly addresses: [Set<MeshAddress>, Set<MeshAddress>]
  readonly learned: [Cure[], Cure[]] = [[], []]
  readonly nodes: readonly MeshNode[]
  private frames: { readonly to: number; readonly frame: Uint8Array }[] = []

  constructor(...addresses: [number[], number[]]) {
    this.addresses = [set(addresses[0]), set(addresses[1])]
    const random = seededRandom(1)
    this.nodes = this.addresses.map(
      (own, at) =>
        new MeshNode({
          ...{ addresses: own, store: new MemoryBundleStore(1_000_000), policy: carryingPolicy('adaptive'), random, primitives },
          proven: (cures) => this.learned[at]?.push(...cures),
          send: (_link, frame) => this.frames.push({ to: 1 - at, frame }),
        }),
    )
  }

  do(what: (node: MeshNode, at: number) => void, now: number): void {
    this.nodes.forEach(what)
    for (let next = this.frames.shift(); next !== undefined; next = this.frames.shift()) this.nodes[next.to]?.control(LINK, next.frame, now)
  }

  /** What was said and not heard yet is lost. */
  lose(): void {
    this.frames = []
  }

  change(...addresses: [number[], number[]]): void {
    addresses.forEach((all, at) => {
      this.addresses[at]?.clear()
      for (const each of all) this.addresses[at]?.add(each as MeshAddress)
    })
  }
}

const set = (addresses: number[]): Set<MeshAddress> => new Set(addresses as MeshAddress[])

function headerFor(address: number): BundleHeader {
  const id = `${address}`.padStart(64, '0') as BundleId
  const key = `${address}`.padStart(16, '0') as BundleKey
  return { id, key, address: address as MeshAddress, lock: key, expiresAt: 3 * DAY_MS, priority: 1, bytes: 100 }
}

describe('neighbours that stay', () => {
  it('[ME7] go on comparing when their addresses have changed, whoever has the smaller ones then, and at a clock that is set back', () => {
    const two = new Two([1], [2])
    two.do((node) => node.linkUp({ link: LINK, bandwidth: 1_000_000 }, DAY_MS), DAY_MS)
    two.change([10], [8])
    two.do((node) => node.readdress(), DAY_MS)
    for (const [text, now] of [
      ['at noon', 2 * DAY_MS],
      ['an hour earlier, by the clock', 2 * DAY_MS - 3_600_000],
    ] as const) {
      // As what a rate has turned away: a later comparison makes it good.
      two.nodes[1]?.cure(cureKeyOf(text), 5 * DAY_MS, now)
      two.lose()
      two.do((node) => node.compareAgain(now), now)
    }
    expect(two.learned[0]).toHaveLength(2)
  })

  it('[ME8] are given what is for their addresses of today, not of days ago', () => {
    const two = new Two([1], [2])
    two.do((node) => node.linkUp({ link: LINK, bandwidth: 1_000_000 }, DAY_MS), DAY_MS)
    for (const address of [2, 8]) two.nodes[0]?.originate(headerFor(address), DAY_MS)
    const isFor = (address: number): boolean => {
      const busy = new Set([headerFor(10 - address).key])
      return two.nodes[0]?.deliverable([LINK], DAY_MS, busy)?.bundle.address === address
    }
    expect([isFor(2), isFor(8)]).toEqual([true, false])
    two.change([10], [8])
    two.do((node) => node.readdress(), DAY_MS)
    expect([isFor(2), isFor(8)]).toEqual([false, true])
  })
})
