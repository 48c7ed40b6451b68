import { describe, expect, it } from 'vitest'
import { SkeinError } from '../errors/index.ts'
import { messageIdFromBytes } from '../ids.ts'
import { A, again, B, scene, states, texts } from '../testing/mail-scene.ts'
import { World, type WorldRelay } from '../testing/world.ts'

const DAY_MS = 86_400_000
const lying = async (relays: readonly WorldRelay[]) =>
  (await Promise.all(relays.map(({ store }) => store.totals()))).map(({ envelopes }) => envelopes)

describe('mailboxes', () => {
  it('[DL18] the sender goes after sending, the recipient comes back later: delivered without the sender, who learns of it when it is back', async () => {
    const { world, relays, ana, bo } = await scene(701)
    world.kill(bo)
    for (const text of ['one', 'two', 'three']) await world.send(ana, bo, text)
    await world.run(10_000)
    expect(await states(world, ana, bo)).toEqual(Array(3).fill('carried'))
    expect(await lying(relays)).toEqual([3])
    world.kill(ana)
    const back = await again(world, bo)
    await world.run(10_000)
    expect(await texts(world, back, ana)).toEqual(['one', 'two', 'three'])
    world.kill(back)
    const home = await again(world, ana)
    await world.run(10_000)
    expect(await states(world, home, bo)).toEqual(Array(3).fill('delivered'))
    expect(await home.messenger.deliveries.outbox()).toEqual([])
    expect(await lying(relays)).toEqual([0])
  })

  it('[DL25] a message that may wait for longer than mail lies there is left anew, and reaches who is back after that', async () => {
    const { world, ana, bo } = await scene(727)
    world.skipsIdle = true
    world.kill(bo)
    await ana.messenger.send(world.contactOf(ana, bo), 'for a quarter', { expireMs: 90 * DAY_MS })
    await ana.messenger.send(world.contactOf(ana, bo), 'for a month')
    await world.run(70_000)
    world.clock.jump(29 * DAY_MS)
    await world.run(400_000)
    expect(await states(world, ana, bo)).toEqual(['carried', 'carried'])
    world.kill(ana)
    world.clock.jump(16 * DAY_MS)
    const back = await again(world, bo)
    await world.run(20_000)
    expect(await texts(world, back, ana)).toEqual(['for a quarter'])
  })

  it('[DL13] what was given up days ago is not delivered by a mailbox any more', async () => {
    const { world, relays, ana, bo } = await scene(731)
    world.skipsIdle = true
    world.kill(bo)
    await ana.messenger.send(world.contactOf(ana, bo), 'meet at five?', { expireMs: 3_600_000 })
    await world.run(70_000)
    expect(await lying(relays)).toEqual([1])
    world.clock.jump(3 * DAY_MS)
    await world.run(100_000)
    expect(await states(world, ana, bo)).toEqual(['failed'])
    const back = await again(world, bo)
    await world.run(100_000)
    expect(await texts(world, back, ana)).toEqual([])
  })

  it('[MB24] a wrong date hides no mail: what was looked for under it is looked for again', async () => {
    const { world, ana, bo } = await scene(728)
    world.skipsIdle = true
    world.kill(bo)
    await world.send(ana, bo, 'long ago')
    await world.run(10_000)
    world.kill(ana)
    world.clock.jump(20 * DAY_MS)
    const ahead = await world.start(bo.name, { store: bo.store.reopened(), mailboxes: [A], skewMs: 60 * DAY_MS })
    await world.run(100_000)
    expect(await texts(world, ahead, ana)).toEqual([])
    world.kill(ahead)
    const right = await again(world, ahead)
    await world.run(20_000)
    expect(await texts(world, right, ana)).toEqual(['long ago'])
  })

  it('[MB25] a mailbox that refuses is asked again after ever longer waits', async () => {
    const { world, relays, bo } = await scene(729)
    world.skipsIdle = true
    const [relay] = relays
    if (relay === undefined) throw new Error('no relay')
    world.kill(bo)
    let asked = 0
    relay.store.fetch = async () => {
      asked += 1
      throw new Error('no room for what is on its way')
    }
    await again(world, bo)
    await world.run(600_000)
    // Ana is there as well.
    expect(asked).toBeLessThan(40)
    expect(asked).toBeGreaterThan(4)
  })

  it('[MB26] contacts that are never met learn by mail of other mailboxes, and have tokens for them', async () => {
    const world = new World(730)
    for (const url of [A, B, 'http://c.test']) world.relay(url)
    const [ana, bo] = [await world.start('ana', { mailboxes: [A] }), await world.start('bo', { mailboxes: [B] })]
    await world.befriend(ana, bo)
    await world.run(5_000)
    world.kill(bo)
    world.kill(ana)
    const moved = await again(world, bo, ['http://c.test'])
    await world.run(20_000)
    world.kill(moved)
    const home = await again(world, ana)
    await world.run(20_000)
    await world.send(home, moved, 'where you are now')
    await world.run(20_000)
    expect((await home.messenger.deliveries.outbox()).map(({ carriers }) => carriers)).toEqual([['http://c.test']])
  })

  it('[MB6] a mailbox that is gone for good after it said «stored» costs nothing: the other one has it, or its sender', async () => {
    const { world, relays, ana, bo } = await scene(702, [A, B])
    world.kill(bo)
    await world.send(ana, bo, 'by two')
    await world.run(10_000)
    expect(await lying(relays)).toEqual([1, 1])
    relays[0]?.end()
    world.kill(ana)
    const back = await again(world, bo, [A, B])
    await world.run(10_000)
    expect(await texts(world, back, ana)).toEqual(['by two'])
    world.kill(back)
    const home = await again(world, ana, [A, B])
    await world.send(home, bo, 'by one')
    await world.run(20_000)
    expect((await states(world, home, bo)).at(-1)).toBe('carried')
    relays[1]?.end()
    const third = await again(world, back, [A, B])
    await world.run(200_000)
    expect(await texts(world, third, home)).toEqual(['by two', 'by one'])
    expect(await states(world, home, bo)).toEqual(['delivered', 'delivered'])
  })

  it('[MB14] a mailbox without room for all tags is watched for those of these days, and for the others once there is room', async () => {
    const { world, relays, ana, bo } = await scene(721)
    world.kill(bo)
    await world.send(ana, bo, 'long ago')
    await world.run(10_000)
    world.kill(ana)
    await world.clock.advance(5 * DAY_MS)
    const home = await again(world, ana)
    await world.send(home, bo, 'today')
    await world.run(10_000)
    world.kill(home)
    const [relay] = relays
    if (relay === undefined) throw new Error('no relay')
    const { bounds } = relay
    relay.bounds = { ...bounds, tags: { ...bounds.tags, connection: 4 } }
    const back = await again(world, bo)
    await world.run(20_000)
    expect(await texts(world, back, ana)).toEqual(['today'])
    relay.bounds = bounds
    await world.run(100_000)
    expect((await texts(world, back, ana)).toSorted()).toEqual(['long ago', 'today'])
  })

  it('[DL19] a gap is asked for: a mailbox that keeps some mail to itself is found out', async () => {
    const { world, relays, ana, bo } = await scene(703)
    const [relay] = relays
    if (relay === undefined) throw new Error('no relay')
    await world.send(ana, bo, 'direct')
    await world.run(2_000)
    world.network.partition(ana.messenger.identity.device, bo.messenger.identity.device, true)
    const honest = relay.store.fetch.bind(relay.store)
    const { fetch } = relay.store
    let withheld = 0
    relay.store.fetch = async (query) => {
      const found = await honest(query)
      if (found.length > 1 && withheld === 0) {
        withheld += 1
        await relay.store.forget(query.tags, [found[0]?.cursor ?? 0])
        return found.slice(1)
      }
      return found
    }
    const device = bo.messenger.identity.device
    world.network.partition(device, relay.device, true)
    for (const text of ['withheld', 'second', 'third']) await world.send(ana, bo, text)
    await world.run(20_000)
    world.network.partition(device, relay.device, false)
    await world.run(20_000)
    relay.store.fetch = fetch
    if (withheld === 0) throw new Error('nothing was withheld')
    expect(await texts(world, bo, ana)).not.toContain('withheld')
    await world.run(200_000)
    expect(await texts(world, bo, ana)).toEqual(['direct', 'withheld', 'second', 'third'])
    expect(await states(world, ana, bo)).toEqual(Array(4).fill('delivered'))
  })

  it('[RC4] a receipt that a mailbox took and lost is given again, and mail that it lost is left again, though nobody says more', async () => {
    const { world, relays, ana, bo } = await scene(713, [A, B])
    const { device } = bo.messenger.identity
    const cut = (both: boolean): void => {
      for (const relay of relays) world.network.partition(device, relay.device, both)
    }
    const wipe = (): void => {
      for (const { store } of relays) store.wipe()
    }
    world.network.partition(ana.messenger.identity.device, device, true)
    cut(true)
    await world.send(ana, bo, 'receipt lost')
    await world.run(20_000)
    world.kill(ana)
    cut(false)
    await world.run(20_000)
    expect(await texts(world, bo, ana)).toEqual(['receipt lost'])
    wipe()
    const back = await again(world, ana, [A, B])
    await world.run(60_000)
    expect(await states(world, back, bo)).toEqual(['carried'])
    await world.run(1_500_000)
    expect(await states(world, back, bo)).toEqual(['delivered'])
    world.kill(bo)
    await world.send(back, bo, 'mail lost')
    await world.run(20_000)
    expect((await states(world, back, bo)).at(-1)).toBe('carried')
    wipe()
    const again2 = await again(world, bo, [A, B])
    await world.run(1_500_000)
    expect(await texts(world, again2, back)).toEqual(['receipt lost', 'mail lost'])
    await world.run(1_500_000)
    expect(await states(world, back, bo)).toEqual(['delivered', 'delivered'])
  })

  it('[RC4] a program that runs for minutes at a time asks as well', async () => {
    const { world, relays, ana, bo } = await scene(716)
    const { device } = bo.messenger.identity
    world.kill(bo)
    await world.send(ana, bo, 'mail lost')
    await world.run(20_000)
    expect(await states(world, ana, bo)).toEqual(['carried'])
    for (const { store } of relays) store.wipe()
    world.kill(ana)
    const back = await again(world, bo)
    world.network.partition(ana.messenger.identity.device, device, true)
    let now = ana
    for (let turn = 0; turn < 4; turn += 1) {
      now = await again(world, now)
      await world.run(120_000)
      world.kill(now)
      await world.run(1_000)
      world.clock.jump(900_000)
    }
    expect(await texts(world, back, ana)).toEqual(['mail lost'])
  })

  it('[RC5] receipts that cannot be told hold up none for others, and go once they can', async () => {
    const { world, ana, bo } = await scene(714)
    const cy = await world.start('cy', { mailboxes: [A] })
    await world.befriend(cy, bo)
    await world.run(5_000)
    for (const other of [ana, cy]) world.network.partition(other.messenger.identity.device, bo.messenger.identity.device, true)
    const [known] = bo.messenger.book.devicesOf(ana.messenger.identity.account)
    if (known === undefined) throw new Error('ana has no device')
    await bo.store.commit(
      Array.from({ length: 5_000 }, (_, at) => {
        const message = messageIdFromBytes(Uint8Array.of(...new Uint8Array(14), at >> 8, at & 255))
        return { kind: 'receipt.put', receipt: { device: known.device, message, read: false } } as const
      }),
    )
    await bo.messenger.change(ana.messenger.identity.account, { trust: 'changed' })
    await world.send(cy, bo, 'confirm this')
    await world.run(20_000)
    expect(await states(world, cy, bo)).toEqual(['delivered'])
    await world.send(ana, bo, 'and this, later')
    await world.run(20_000)
    expect(await texts(world, bo, ana)).toEqual(['and this, later'])
    expect(await states(world, ana, bo)).toEqual(['carried'])
    await bo.messenger.change(ana.messenger.identity.account, { trust: 'verified' })
    await world.run(60_000)
    expect(await states(world, ana, bo)).toEqual(['delivered'])
    expect(await bo.store.receiptDevices()).toEqual([])
  })

  it('[DL21] a receipt for which there was no room goes once there is', async () => {
    const { world, ana, bo } = await scene(739)
    world.network.partition(ana.messenger.identity.device, bo.messenger.identity.device, true)
    const commit = bo.store.commit.bind(bo.store)
    bo.store.commit = (writes) =>
      writes.some(({ kind }) => kind === 'receipt.remove') ? Promise.reject(new SkeinError('DISK_FULL', 'Not now.')) : commit(writes)
    await world.send(ana, bo, 'is there room?')
    await world.run(20_000)
    expect([await texts(world, bo, ana), await states(world, ana, bo)]).toEqual([['is there room?'], ['carried']])
    bo.store.commit = commit
    await world.run(60_000)
    expect(await states(world, ana, bo)).toEqual(['delivered'])
  })

  it('[RC1] receipts come many at once, and only to accepted contacts', async () => {
    const { world, relays, ana, bo } = await scene(704)
    world.kill(bo)
    for (let number = 0; number < 40; number += 1) await world.send(ana, bo, `number ${number}`)
    await world.run(20_000)
    const seen = relays[0]?.store.seen.length ?? 0
    world.kill(ana)
    const back = await again(world, bo)
    await world.run(20_000)
    expect((await texts(world, back, ana)).length).toBe(40)
    // A receipt or two, and perhaps tokens.
    expect((relays[0]?.store.seen.length ?? 0) - seen).toBeLessThanOrEqual(5)
    const home = await again(world, ana)
    await world.run(20_000)
    expect(new Set(await states(world, home, bo))).toEqual(new Set(['delivered']))
  })

  it('[RC1] a blocked contact gets no receipt', async () => {
    const { world, ana, bo } = await scene(705)
    world.network.partition(ana.messenger.identity.device, bo.messenger.identity.device, true)
    await bo.messenger.change(ana.messenger.identity.account, { blocked: true })
    await world.send(ana, bo, 'are you there?')
    await world.run(60_000)
    expect(await texts(world, bo, ana)).toEqual([])
    expect(await states(world, ana, bo)).toEqual(['carried'])
  })

  it('[RC2] what the user has seen is told where both want it, and survives a restart', async () => {
    const world = new World(706)
    world.relay(A)
    const ana = await world.start('ana', { mailboxes: [A] })
    const bo = await world.start('bo', { mailboxes: [A], readReceipts: true })
    await world.befriend(ana, bo)
    const first = await world.send(ana, bo, 'one')
    await world.send(ana, bo, 'two')
    await world.run(5_000)
    await bo.messenger.seen(ana.messenger.identity.account, first.id)
    await world.run(5_000)
    expect(await states(world, ana, bo)).toEqual(['read', 'delivered'])
    const late = await world.send(ana, bo, 'three')
    await world.run(5_000)
    // The process is gone right behind the commit that says it was seen.
    const commit = bo.store.commit.bind(bo.store)
    bo.store.commit = async (writes) => {
      const done = await commit(writes)
      if (writes.some(({ kind }) => kind === 'messages.seen')) world.kill(bo)
      return writes.some(({ kind }) => kind === 'messages.seen') ? new Promise(() => undefined) : done
    }
    void bo.messenger.seen(ana.messenger.identity.account, late.id)
    await world.run(5_000)
    const restarted = await world.start('bo', { store: bo.store.reopened(), mailboxes: [A], readReceipts: true })
    await world.run(5_000)
    expect(await states(world, ana, restarted)).toEqual(['read', 'read', 'read'])
    const answer = await world.send(restarted, ana, 'answer')
    await world.run(5_000)
    await ana.messenger.seen(bo.messenger.identity.account, answer.id)
    await world.run(5_000)
    // Ana tells nobody.
    expect(await states(world, restarted, ana)).toEqual(Array(4).fill('delivered'))
  })

  it('[MB12] a relay learns neither who leaves mail nor who fetches it, and no text', async () => {
    const { world, relays, ana, bo } = await scene(708)
    const devices = [ana, bo].map(({ messenger }) => messenger.identity.device)
    world.kill(bo)
    await world.send(ana, bo, 'a marked text')
    await world.run(10_000)
    const back = await again(world, bo)
    await world.run(10_000)
    expect(await texts(world, back, ana)).toEqual(['a marked text'])
    const seen = relays[0]?.store.seen ?? []
    expect(seen.length).toBeGreaterThan(0)
    const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes)
    for (const envelope of seen) for (const word of ['a marked text', ...devices]) expect(text(envelope)).not.toContain(word)
  })
})
