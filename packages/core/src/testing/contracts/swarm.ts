/** What core expects of every Swarm, whatever network is beneath it. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { deviceIdFromKey } from '../../ids.ts'
import type { Channel, ProtocolId, Swarm } from '../../ports/swarm.ts'
import { MAX_FRAME_BYTES } from '../../wire/limits.ts'

/** Two swarms that can reach each other. */
export interface SwarmPair {
  readonly a: Swarm
  readonly b: Swarm
  /** Moves what is in flight, for a network that moves only when told to; called again and again while a test waits. */
  pump?(): void
  end(): Promise<void>
}

const ECHO: ProtocolId = '/skein/contract-echo/1'
const SINK: ProtocolId = '/skein/contract-sink/1'
/** Milliseconds; a condition not met by then has failed. */
const DEADLINE = 10_000
const FRAMES = 200

/** Runs the contract; `makePair` is called for each test. */
export function swarmContract(name: string, makePair: () => Promise<SwarmPair>): void {
  describe(`Swarm contract: ${name}`, { timeout: 30_000 }, () => {
    let pair: SwarmPair
    beforeEach(async () => {
      pair = await makePair()
    })
    afterEach(() => pair.end())

    const until = (condition: () => void): Promise<void> =>
      vi.waitFor(
        () => {
          pair.pump?.()
          condition()
        },
        { timeout: DEADLINE, interval: 5 },
      )

    async function open(protocol: ProtocolId): Promise<Channel> {
      const outcome = await pair.a.open(pair.b.self, protocol)
      if (outcome.kind !== 'open') throw new Error(`absent: ${outcome.reason}`)
      return outcome.channel
    }

    it('opens a channel whose ends know each other', async () => {
      const peers: string[] = []
      pair.b.handle(ECHO, async (channel) => void peers.push(channel.peer))
      const channel = await open(ECHO)
      await channel.send(new Uint8Array([1]))
      await until(() => expect(peers).toEqual([pair.a.self]))
      expect(channel.peer).toBe(pair.b.self)
      expect(pair.a.isConnected(pair.b.self)).toBe(true)
      await until(() => expect(pair.b.isConnected(pair.a.self)).toBe(true))
    })

    it('carries frames both ways, in order, whole', async () => {
      pair.b.handle(ECHO, echo)
      const channel = await open(ECHO)
      const back: number[] = []
      void collect(channel, (frame) => back.push(new DataView(frame.buffer, frame.byteOffset).getUint32(0)))
      for (let number = 0; number < FRAMES; number += 1) expect(await channel.send(numbered(number, 4 + (number % 97)))).toBe(true)
      await until(() => expect(back).toEqual(Array.from({ length: FRAMES }, (_, at) => at)))
    })

    it('carries the largest frame and refuses a larger one', async () => {
      const sizes: number[] = []
      pair.b.handle(SINK, (channel) => collect(channel, (frame) => sizes.push(frame.length)))
      const channel = await open(SINK)
      expect(await channel.send(new Uint8Array(MAX_FRAME_BYTES))).toBe(true)
      await expect(channel.send(new Uint8Array(MAX_FRAME_BYTES + 1))).rejects.toThrow(RangeError)
      await until(() => expect(sizes).toEqual([MAX_FRAME_BYTES]))
    })

    it('delivers what was sent before a close, then ends the frames of both sides', async () => {
      const seen: number[] = []
      let ended = 0
      pair.b.handle(SINK, async (channel) => {
        await collect(channel, (frame) => seen.push(frame.length))
        ended += 1
      })
      const channel = await open(SINK)
      const own = collect(channel, () => undefined).then(() => (ended += 1))
      await channel.send(new Uint8Array(7))
      await channel.send(new Uint8Array(8))
      channel.close()
      channel.close()
      await until(() => expect(ended).toBe(2))
      await own
      expect(seen).toEqual([7, 8])
      expect(await channel.send(new Uint8Array([1]))).toBe(false)
    })

    it('answers "absent" for a device that is nowhere', async () => {
      const nobody = deviceIdFromKey(new Uint8Array(32).fill(9))
      const outcome = await pair.a.open(nobody, ECHO)
      expect(outcome.kind).toBe('absent')
      expect(pair.a.isConnected(nobody)).toBe(false)
    })

    it('answers "absent" for a protocol that is not served, or no longer', async () => {
      expect((await pair.a.open(pair.b.self, SINK)).kind).toBe('absent')
      const release = pair.b.handle(SINK, (channel) => collect(channel, () => undefined))
      await open(SINK)
      release()
      await vi.waitFor(async () => expect((await pair.a.open(pair.b.self, SINK)).kind).toBe('absent'), { timeout: DEADLINE })
    })
  })
}

async function echo(channel: Channel): Promise<void> {
  for await (const frame of channel.frames()) await channel.send(frame)
}

async function collect(channel: Channel, take: (frame: Uint8Array) => void): Promise<void> {
  for await (const frame of channel.frames()) take(frame)
}

function numbered(number: number, length: number): Uint8Array {
  const frame = new Uint8Array(length)
  new DataView(frame.buffer).setUint32(0, number)
  return frame
}
