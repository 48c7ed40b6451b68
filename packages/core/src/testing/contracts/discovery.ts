/** What core expects of every Discovery: announcements reach all who listen, with the address they came from. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Discovery, LanSource } from '../../ports/discovery.ts'
import { MAX_LAN_BYTES } from '../../wire/limits.ts'

export interface DiscoveryUnderTest {
  /** Two devices on one network; not started. */
  readonly a: Discovery
  readonly b: Discovery
  /** Waits until `holds`, announcing in between if that does not happen by itself. @throws Error when it takes too long */
  until(holds: () => boolean): Promise<void>
  /** Lets several announcements be made that would be heard by now. */
  pass(): Promise<void>
  end(): Promise<void>
}

/** Somebody who says `says` and keeps what is heard. */
class Ear {
  says: readonly Uint8Array[]
  readonly heard: { readonly bytes: Uint8Array; readonly from: LanSource }[] = []
  readonly addresses = new Set<string>()

  constructor(...says: readonly Uint8Array[]) {
    this.says = says
  }

  announcements(address: string): readonly Uint8Array[] {
    this.addresses.add(address)
    return this.says
  }

  readonly handlers = {
    announcements: (address: string): readonly Uint8Array[] => this.announcements(address),
    heard: (bytes: Uint8Array, from: LanSource): void => void this.heard.push({ bytes, from }),
  }

  hasHeard(bytes: Uint8Array): boolean {
    return this.heard.some((each) => String(each.bytes) === String(bytes))
  }
}

const said = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes)

export function discoveryContract(name: string, make: () => Promise<DiscoveryUnderTest>): void {
  describe(`Discovery contract: ${name}`, () => {
    let world: DiscoveryUnderTest
    beforeEach(async () => {
      world = await make()
    })
    afterEach(() => world.end())

    it('brings what one announces to the other, from the address that was announced from', async () => {
      const [one, two] = [new Ear(said(1, 2, 3)), new Ear()]
      await world.b.start(two.handlers)
      await world.a.start(one.handlers)
      await world.until(() => two.hasHeard(said(1, 2, 3)))
      for (const { from } of two.heard) expect(one.addresses).toContain(from.address)
      expect(two.heard.some(({ from }) => from.address.includes('%'))).toBe(false)
    })

    it('brings several announcements of the largest size, byte for byte', async () => {
      const large = [1, 2].map((byte) => new Uint8Array(MAX_LAN_BYTES).map((_, at) => (at * byte) % 256))
      const two = new Ear()
      await world.b.start(two.handlers)
      await world.a.start(new Ear(...large).handlers)
      await world.until(() => large.every((bytes) => two.hasHeard(bytes)))
      expect(two.heard.every(({ bytes }) => bytes.length === MAX_LAN_BYTES)).toBe(true)
    })

    it('asks anew each time, and announces when in a hurry', async () => {
      const [one, two] = [new Ear(said(1)), new Ear()]
      await Promise.all([world.a.start(one.handlers), world.b.start(two.handlers)])
      await world.until(() => two.hasHeard(said(1)))
      one.says = [said(2)]
      world.a.hurry()
      await world.until(() => two.hasHeard(said(2)))
      expect(two.hasHeard(said(2))).toBe(true)
    })

    it('is silent when there is nothing to say, and after it was stopped', async () => {
      const [one, two] = [new Ear(), new Ear(said(9))]
      await Promise.all([world.a.start(one.handlers), world.b.start(two.handlers)])
      await world.until(() => one.hasHeard(said(9)))
      await world.pass()
      expect(two.heard.filter(({ bytes }) => String(bytes) !== '9')).toEqual([])
      await world.b.stop()
      await world.pass()
      const before = one.heard.length
      world.b.hurry()
      await world.pass()
      expect(one.heard).toHaveLength(before)
    })

    it('starts and stops twice without harm', async () => {
      const [one, two] = [new Ear(said(1)), new Ear()]
      await world.a.start(one.handlers)
      await world.a.start(one.handlers)
      await world.b.start(two.handlers)
      await world.until(() => two.hasHeard(said(1)))
      await world.a.stop()
      await expect(world.a.stop()).resolves.toBeUndefined()
    })
  })
}
