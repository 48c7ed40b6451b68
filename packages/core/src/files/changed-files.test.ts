import { describe, expect, it } from 'vitest'
import { accepted, content, filesOf, offer, pair, stateOf, underWay, until } from '../testing/file-pair.ts'
import { decodeManifest, encodeManifest } from '../wire/manifest.ts'

describe('files that change while they are sent', () => {
  it('[FI37] what changed is offered anew under another key, accepted where it was, and arrives as it is now', async () => {
    const { world, ana, bo } = await underWay()
    ana.disk.files.set('a.bin', content(2, 1_300_000))
    world.network.dropLinks(() => true)
    await world.run(20_000)
    expect(bo.disk.files.get('in/a.bin')).toEqual(content(2, 1_300_000))
    expect(
      filesOf(bo)
        .list()
        .map(({ state }) => state),
    ).toEqual(['done', 'failed'])
    const keys = (await ana.node.store.transfers()).map(({ manifest }) => decodeManifest(manifest).key.join())
    expect(new Set(keys).size).toBe(2)
  })

  it('[FI37] [FI7] what changed just before its sender ended is offered anew at the next start, once', async () => {
    const { world, ana, bo, transfer } = await underWay()
    ana.disk.files.set('a.bin', content(2, 1_200_000))
    world.network.dropLinks(() => true)
    await until(world, () => stateOf(ana, transfer) === 'failed')
    for (let start = 0; start < 2; start += 1) {
      world.kill(ana.node)
      ana.node = await world.start('ana', { files: ana.disk, store: ana.node.store.reopened() })
      await world.run(20_000)
    }
    expect(bo.disk.files.get('in/a.bin')).toEqual(content(2, 1_200_000))
    expect(filesOf(ana).list()).toHaveLength(2)
  })

  it('[FI37] what is gone cannot be offered anew: its sender hears of it, and who receives is not told otherwise for long', async () => {
    const { world, ana, bo, transfer } = await underWay()
    const told: (boolean | undefined)[] = []
    ana.disk.files.delete('a.bin')
    world.network.dropLinks(() => true)
    await until(world, () => stateOf(ana, transfer) === 'failed')
    expect(filesOf(ana).get(transfer.id)).toMatchObject({ reason: 'FILE_CHANGED', offeredAnew: true })
    await until(world, () => stateOf(bo, transfer) === 'failed')
    bo.node.messenger.listen((event) => void (event.kind === 'transfer' && told.push(event.transfer.offeredAnew)))
    expect(filesOf(bo).get(transfer.id)).toMatchObject({ reason: 'FILE_CHANGED', offeredAnew: true })
    await world.run(10_000)
    expect(filesOf(ana).list()).toMatchObject([{ reason: 'FILE_UNREADABLE', offeredAnew: false }])
    await world.run(60_000)
    expect(filesOf(bo).list()).toMatchObject([{ reason: 'FILE_CHANGED', offeredAnew: false }])
    expect(told.at(-1)).toBe(false)
  })

  it('[FI37] who is blocked is offered nothing anew, and the sender hears that', async () => {
    const { world, ana, bo, transfer } = await underWay()
    ana.disk.files.set('a.bin', content(2, 1_200_000))
    world.network.dropLinks(() => true)
    await until(world, () => stateOf(ana, transfer) === 'failed')
    await ana.node.messenger.change(bo.node.messenger.identity.account, { blocked: true })
    await world.run(10_000)
    expect(filesOf(ana).list()).toMatchObject([{ reason: 'not-anew', offeredAnew: false }])
  })

  it('[FI37] who was off for more than a day is not told that it is offered anew', async () => {
    const { world, ana, transfer } = await underWay()
    ana.disk.files.set('a.bin', content(2, 1_200_000))
    world.network.dropLinks(() => true)
    await until(world, () => stateOf(ana, transfer) === 'failed')
    world.kill(ana.node)
    const store = ana.node.store.reopened()
    const kept = await store.transfer(transfer.id, 'out')
    if (kept === null) throw new Error('it is kept')
    await store.commit([{ kind: 'transfer.put', transfer: { ...kept, updatedAt: kept.updatedAt - 2 * 86_400_000 } }])
    ana.node = await world.start('ana', { files: ana.disk, store })
    expect(filesOf(ana).get(transfer.id)).toMatchObject({ reason: 'FILE_CHANGED', offeredAnew: false })
  })

  it('[FI37] what changes all the time is given up after three times', async () => {
    const { world, ana, bo } = await accepted()
    for (let change = 2; change < 12; change += 1) {
      await until(world, () => filesOf(bo).list()[0]?.state !== 'failed' || filesOf(bo).list().length === 4)
      await until(world, () => (filesOf(bo).list()[0]?.bytes ?? 0) > 300_000)
      ana.disk.files.set('a.bin', content(change, 1_200_000))
      world.network.dropLinks(() => true)
      if (filesOf(bo).list().length === 4) break
      const count = filesOf(bo).list().length
      await until(world, () => filesOf(bo).list().length > count)
    }
    await world.run(60_000)
    expect(
      filesOf(ana)
        .list()
        .map(({ state, reason, offeredAnew }) => [state, reason, offeredAnew]),
    ).toEqual([false, true, true, true].map((isAnew) => ['failed', 'FILE_CHANGED', isAnew]))
    expect(bo.disk.files.size).toBe(0)
  })

  it.each([
    ['was not accepted', { accepted: false, size: 100, attempt: 1 }],
    ['is said to be a later attempt', { accepted: true, size: 100, attempt: 2 }],
    ['has grown too much', { accepted: true, size: 1_048_777, attempt: 1 }],
    ['still grows', { accepted: true, size: 100, attempt: 1, sizes: { size: 0, chunkSize: 1_048_576, stream: 'growing' } }],
  ] as const)('[FI37] [FI20] [FI72] what takes the place of something that %s waits for the user', async (_, given) => {
    const { accepted, size, attempt } = given
    const sizes = 'sizes' in given ? given.sizes : { chunkSize: 262_144 }
    const both = await pair()
    const { world, ana, bo } = both
    ana.disk.files.set('a.bin', content(1, 100))
    ana.disk.files.set('b.bin', content(1, size))
    const first = await offer(both)
    world.network.dropLinks(() => true)
    await filesOf(ana).pause(first.id)
    if (accepted) await filesOf(bo).accept(first.id, 'in')
    await world.run(1_000)
    const { place, ...found } = await ana.disk.describe(['b.bin'])
    const replaces = { transfer: first.id, attempt }
    const manifest = { ...found, ...sizes, key: new Uint8Array(32), root: undefined, replaces }
    const transfer = { manifest: encodeManifest(manifest), place }
    const sending = ana.node.messenger.send(world.contactOf(ana.node, bo.node), { kind: 'file', name: 'b.bin', transfer })
    await world.run(3_000)
    expect(stateOf(bo, await sending)).toBe('offered')
  })

  it('[FI37] [FI20] only one offer takes the place of another: a second one waits for the user', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    ana.disk.files.set('a.bin', content(1, 100))
    const first = await offer(both)
    await filesOf(ana).pause(first.id)
    await filesOf(bo).accept(first.id, 'in')
    await world.run(1_000)
    const { place, ...found } = await ana.disk.describe(['a.bin'])
    const manifest = {
      ...found,
      chunkSize: 262_144,
      key: new Uint8Array(32),
      root: undefined,
      replaces: { transfer: first.id, attempt: 1 },
    }
    const transfer = { manifest: encodeManifest(manifest), place }
    const states: string[] = []
    for (let count = 0; count < 2; count += 1) {
      const sending = ana.node.messenger.send(world.contactOf(ana.node, bo.node), { kind: 'file', name: 'a.bin', transfer })
      await world.run(3_000)
      states.push(stateOf(bo, await sending))
    }
    // The first was accepted; that there is nothing behind it is another matter.
    expect(states).toEqual([expect.not.stringMatching('offered'), 'offered'])
    expect(filesOf(bo).get(first.id)).toMatchObject({ state: 'failed', reason: 'replaced' })
  })

  it('[FI37] [FI20] what nobody was asked about grows no larger than what nobody need be asked about', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    ana.disk.files.set('b.bin', content(1, 900_000))
    await filesOf(bo).setAutoAccept(ana.node.messenger.identity.account, { maxBytes: 1_000_000, folder: 'auto' })
    await filesOf(ana).setRate(200_000)
    const second = await offer(both, ['b.bin'])
    await until(world, () => filesOf(bo).get(second.id).bytes > 300_000)
    ana.disk.files.set('b.bin', content(2, 1_800_000))
    world.network.dropLinks(() => true)
    await filesOf(ana).setRate(0)
    await world.run(20_000)
    expect(
      filesOf(bo)
        .list()
        .map(({ total, state }) => [total, state]),
    ).toContainEqual([1_800_000, 'offered'])
  })
})
