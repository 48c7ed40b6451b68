/** What core expects of every mesh link, whatever radio or wire is beneath it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FrameLink, type Link } from '../../mesh/index.ts'
import type { Clock } from '../../ports/clock.ts'

/** Both ends of a link, and the clock that it keeps. */
export interface LinkPair {
  readonly a: Link
  readonly b: Link
  readonly clock: Clock
  /** Lets `ms` milliseconds pass. */
  pass(ms: number): Promise<void>
  end(): Promise<void>
}

const STEP_MS = 100
const MOST_STEPS = 3_000

/** Runs the contract; `makePair` is called for each test. */
export function linkContract(name: string, makePair: () => Promise<LinkPair>): void {
  describe(`Link contract: ${name}`, () => {
    let pair: LinkPair
    beforeEach(async () => {
      pair = await makePair()
    })
    afterEach(() => pair.end())

    /** What the promise resolves to, while time passes. */
    async function settled<T>(promise: Promise<T>): Promise<T> {
      let outcome: { readonly value: T } | undefined
      promise.then((value) => (outcome = { value })).catch(() => undefined)
      for (let step = 0; step < MOST_STEPS && outcome === undefined; step += 1) await pair.pass(STEP_MS)
      if (outcome === undefined) throw new Error('nothing came of it in time')
      return outcome.value
    }

    it('[ME16] tells what it can carry', () => {
      expect(pair.a.mtu).toBeGreaterThanOrEqual(64)
      expect(pair.a.bandwidth).toBeGreaterThan(0)
      expect(pair.a.cost).toBeGreaterThanOrEqual(0)
    })

    it('[ME16] takes packets up to its MTU and refuses larger ones', async () => {
      await expect(pair.a.send(new Uint8Array(pair.a.mtu + 1))).rejects.toThrow(RangeError)
      expect(await settled(pair.a.send(new Uint8Array(pair.a.mtu)))).toBe(true)
    })

    it('[ME16] whole frames of any size arrive once and in order, in both directions, whatever is lost', async () => {
      const [a, b] = [new FrameLink(pair.a, pair.clock), new FrameLink(pair.b, pair.clock)]
      const sizes = [1, pair.a.mtu - 18, pair.a.mtu, 20_000, 0]
      const frames = sizes.map((size, at) => new Uint8Array(size).fill(at + 1))
      const heard = [collected(a, sizes.length), collected(b, sizes.length)]
      const sent = await settled(Promise.all(frames.flatMap((frame) => [a.send(frame), b.send(frame)])))
      expect(sent).toEqual(sent.map(() => true))
      for (const each of heard) expect(await settled(each)).toEqual(frames)
    })

    it('[ME16] when it is closed, sending says so and reading ends, at both ends', async () => {
      const [a, b] = [new FrameLink(pair.a, pair.clock), new FrameLink(pair.b, pair.clock)]
      const heard = [collected(a, Number.POSITIVE_INFINITY), collected(b, Number.POSITIVE_INFINITY)]
      pair.a.close()
      pair.a.close()
      expect(await settled(a.send(Uint8Array.of(1)))).toBe(false)
      // The other end learns of it when word of it has come.
      for (let sent = true; sent; sent = await settled(b.send(Uint8Array.of(1)))) await pair.pass(STEP_MS)
      expect(await settled(Promise.all(heard))).toEqual([[], []])
    })
  })
}

async function collected(link: FrameLink, count: number): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = []
  // Goes on reading after the last one: the other side waits for word of it.
  return new Promise((resolve) => {
    void (async () => {
      for await (const frame of link.frames()) if (frames.push(frame) === count) resolve(frames)
      resolve(frames)
    })()
  })
}
