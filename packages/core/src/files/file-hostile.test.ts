import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Channel } from '../ports/swarm.ts'
import { content, filesOf, offer, pair, stateOf, until } from '../testing/file-pair.ts'
import type { WorldNode } from '../testing/world.ts'
import { decodeFileFrame, encodeFileFrame, type FileFrame } from '../wire/files.ts'
import { FILE_PROTOCOL } from './file-link.ts'
import { MAX_WINDOW_BYTES, WINDOW_BYTES } from './limits.ts'

describe('what a hostile contact sends', () => {
  const anyFrame: fc.Arbitrary<Uint8Array> = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 200 }),
    fc
      .oneof<fc.Arbitrary<FileFrame>[]>(
        fc.record({ kind: fc.constant('chunk' as const), index: fc.nat(9), bytes: fc.nat(300_000) }),
        fc.record({ kind: fc.constant('credit' as const), bytes: fc.nat() }),
        fc.record({ kind: fc.constant('stream' as const), salt: fc.uint8Array({ minLength: 32, maxLength: 32 }) }),
        fc.record({ kind: fc.constant('end' as const), root: fc.uint8Array({ minLength: 48, maxLength: 48 }) }),
      )
      .map(encodeFileFrame),
  )

  it('[FI6] [FI19] frames of any kind in any order put nothing in place and stop nobody', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    await fc.assert(
      fc.asyncProperty(fc.array(anyFrame, { minLength: 1, maxLength: 6 }), async (frames) => {
        ana.disk.files.set('a.bin', content(1, 1_000))
        const transfer = await offer(both)
        const serve = ana.node.swarm.handlers.get(FILE_PROTOCOL)
        ana.node.swarm.handlers.set(FILE_PROTOCOL, async (channel) => {
          for (const frame of frames) await channel.send(frame)
        })
        await filesOf(bo).accept(transfer.id, 'in')
        await world.run(1_000)
        expect([...bo.disk.files.keys()]).toEqual([])
        if (serve !== undefined) ana.node.swarm.handlers.set(FILE_PROTOCOL, serve)
        await filesOf(bo).cancel(transfer.id)
        // And the same to who serves.
        const opened = await bo.node.swarm.open(ana.node.swarm.self, FILE_PROTOCOL)
        if (opened.kind === 'open') for (const frame of frames) await opened.channel.send(frame)
        await world.run(500)
      }),
      { numRuns: 25 },
    )
    const last = await offer(both)
    await filesOf(bo).accept(last.id, 'in')
    await world.run(5_000)
    expect(stateOf(bo, last)).toBe('done')
  })

  it('[FI12] who sends more than there is credit for is not read any further', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    const size = 3 * WINDOW_BYTES
    ana.disk.files.set('a.bin', content(1, size))
    const transfer = await offer(both)
    greedy(ana.node)
    let begun = 0
    let release: () => void = () => undefined
    const slow = new Promise<void>((resolve) => (release = resolve))
    bo.disk.before = async (step) => {
      if (step !== 'write') return
      begun += 1
      await slow
    }
    await filesOf(bo).accept(transfer.id, 'in')
    await world.run(3_000)
    expect(begun).toBeGreaterThan(0)
    expect(begun * 262_144).toBeLessThanOrEqual(WINDOW_BYTES)
    release()
    await until(world, () => stateOf(bo, transfer) === 'failed')
    expect(filesOf(bo).get(transfer.id).reason).toBe('BAD_FRAME')
  })

  it('[FI17] a name that reads as another, or does more than name, is shown as it is saved, before anybody accepts', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    for (const [name, shown] of [
      ['photo\u202egnp.exe', 'photo_gnp.exe'],
      ['bell\u0007\n.txt', 'bell__.txt'],
    ] as const) {
      ana.disk.files.set(name, content(1, 1_000))
      const { id } = await offer(both, [name])
      expect(filesOf(bo).get(id).name).toBe(shown)
      expect((await world.history(bo.node, ana.node)).at(-1)).toMatchObject({ kind: 'file', id, text: shown })
    }
    ana.disk.files.set('x'.repeat(3_000), content(1, 1_000))
    expect(filesOf(bo).get((await offer(both, ['x'.repeat(3_000)])).id).name).toBe('x'.repeat(240))
  })

  /** From now on it takes each request as one with the largest window. */
  function greedy({ swarm }: WorldNode): void {
    const serve = swarm.handlers.get(FILE_PROTOCOL)
    if (serve === undefined) throw new Error('it serves')
    swarm.handlers.set(FILE_PROTOCOL, (channel) => {
      const frames = async function* (): AsyncGenerator<Uint8Array> {
        for await (const frame of channel.frames()) {
          const decoded = decodeFileFrame(frame)
          yield decoded.kind === 'request' ? encodeFileFrame({ ...decoded, window: MAX_WINDOW_BYTES }) : frame
        }
      }
      const { peer } = channel
      return serve({ peer, frames, send: (frame) => channel.send(frame), close: () => channel.close() } as Channel)
    })
  }
})
