/** New devices, and contacts that they never meet. */
import { describe, expect, it } from 'vitest'
import { A, again, scene, states, texts } from '../testing/mail-scene.ts'

const DAY_MS = 86_400_000

describe('mail of new devices', () => {
  it('[DV15] a new device and a contact that it has never met write to each other by mail, and what comes before its list lies on', async () => {
    const { world, relays, ana, bo } = await scene(715)
    world.kill(ana)
    const fresh = await world.start('bo phone', { mailboxes: [A] })
    const phone = await world.link(bo, fresh, () => ({ store: fresh.store.reopened(), mailboxes: [A] }))
    await world.run(10_000)
    const words = relays[0]?.store
    if (words === undefined) throw new Error('no relay')
    await world.send(phone, ana, 'from a device you do not know')
    await world.run(10_000)
    expect(await states(world, phone, ana)).toEqual(['carried'])
    world.kill(phone)
    world.kill(bo)
    // The list that has the new device comes last.
    const { fetch } = words
    words.fetch = async (query) => (await fetch.call(words, { ...query, after: 0 })).toReversed()
    const back = await again(world, ana)
    await world.run(1_000)
    words.fetch = fetch
    await world.run(60_000)
    expect((await world.history(back, bo)).map(({ text }) => text)).toEqual(['from a device you do not know'])
    await world.send(back, bo, 'now I do')
    await world.run(10_000)
    world.kill(back)
    const there = await again(world, phone)
    await world.run(10_000)
    expect(await texts(world, there, ana)).toEqual(['from a device you do not know', 'now I do'])
    expect((await states(world, there, ana))[0]).toBe('delivered')
  })

  it('[DV9] a mailbox that loses the word of a new device is made up for: it is told again', async () => {
    const { world, relays, ana, bo } = await scene(733)
    world.skipsIdle = true
    world.kill(ana)
    const fresh = await world.start('bo phone', { mailboxes: [A] })
    const phone = await world.link(bo, fresh, () => ({ store: fresh.store.reopened(), mailboxes: [A] }))
    await world.run(60_000)
    for (const { store } of relays) store.wipe()
    world.kill(bo)
    world.kill(phone)
    world.clock.jump(DAY_MS + 3_600_000)
    const there = await again(world, bo)
    await world.run(60_000)
    world.kill(there)
    const second = await again(world, phone)
    await world.send(second, ana, 'from a device you do not know')
    await world.run(20_000)
    world.kill(second)
    const back = await again(world, ana)
    await world.run(60_000)
    expect(await texts(world, back, bo)).toEqual(['from a device you do not know'])
  })

  it('[DV9] so is one that loses the word that a device is gone, also where one alone is left', async () => {
    const { world, relays, ana, bo } = await scene(737)
    world.skipsIdle = true
    const fresh = await world.start('bo phone', { mailboxes: [A] })
    const phone = await world.link(bo, fresh, () => ({ store: fresh.store.reopened(), mailboxes: [A] }))
    await world.run(60_000)
    world.kill(phone)
    world.kill(ana)
    await bo.messenger.devices.revoke(phone.messenger.identity.device)
    await world.run(60_000)
    for (const { store } of relays) store.wipe()
    world.kill(bo)
    world.clock.jump(DAY_MS + 3_600_000)
    const there = await again(world, bo)
    await world.run(60_000)
    world.kill(there)
    const back = await again(world, ana)
    await world.run(60_000)
    expect(back.messenger.book.devicesOf(bo.messenger.identity.account).map(({ device }) => device)).toEqual([bo.messenger.identity.device])
  })
})
