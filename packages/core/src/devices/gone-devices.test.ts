import { describe, expect, it, vi } from 'vitest'
import { SkeinError } from '../errors/index.ts'
import type { Trust } from '../ports/store.ts'
import { household, texts } from '../testing/household.ts'
import { MemoryStore } from '../testing/memory-store.ts'

describe('[DL23] a list that took a device out, and a crash right behind it', () => {
  /** What ana sends waits for the phone alone; then her process dies between bo's newer list and what follows from it. */
  async function crashed(seed: number, trust: Trust) {
    const { world, ana, bo, phone } = await household(seed)
    for (const node of [bo, phone]) world.kill(node)
    const sent = await world.send(ana, bo, 'for whoever is there')
    const [first] = await world.history(ana, bo)
    if (first === undefined) throw new Error('no message')
    const edited = await ana.messenger.conversation.annotate({ kind: 'edit', target: first.id, text: 'edited' })
    await world.run(1_000)
    world.kill(ana)
    const { device, account } = bo.messenger.identity
    const contact = world.contactOf(ana, bo)
    const devices = ana.messenger.book.devicesOf(account).filter((each) => each.device === device)
    const rows = await ana.store.outbox(device, 0, 99)
    await ana.store.commit([
      ...rows.map(({ message }) => ({ kind: 'outbox.remove', message, device }) as const),
      { kind: 'contact.put', contact: { ...contact, trust, listVersion: 3 }, devices },
    ])
    const again = await world.restart(ana)
    const back = await world.restart(bo)
    await world.run(60_000)
    return { world, ana: again, bo: back, sent, edited, phone }
  }

  it('what waited for it alone, and what was said about messages, goes to those that are there', async () => {
    const { world, ana, bo, sent, edited, phone } = await crashed(5_1, 'unverified')
    expect((await texts(world, bo, ana)).at(-1)).toBe('for whoever is there')
    expect((await bo.messenger.message(edited.id))?.text).toBe('edited')
    expect(await ana.messenger.message(sent.id)).toMatchObject({ state: 'delivered' })
    expect(await ana.store.outbox(phone.messenger.identity.device, 0, 9)).toEqual([])
  })

  it('[EV2] of a contact that was verified it waits until the user has decided', async () => {
    const { world, ana, bo, sent } = await crashed(5_2, 'changed')
    expect(await ana.messenger.message(sent.id)).toMatchObject({ state: 'queued' })
    expect((await ana.messenger.deliveries.outbox()).map(({ hold }) => hold)).toContain('keys-changed')
    await ana.messenger.setVerified(world.contactOf(ana, bo), true)
    await world.run(60_000)
    expect((await texts(world, bo, ana)).at(-1)).toBe('for whoever is there')
  })

  it('is dropped when there is room again on a disk that was full', async () => {
    const { world, ana, bo, phone } = await household(5_3)
    const { device } = phone.messenger.identity
    world.kill(phone)
    await world.send(ana, bo, 'waits for the phone')
    await world.run(1_000)
    const full = vi.spyOn(ana.store, 'commit')
    const commit = full.getMockImplementation() ?? MemoryStore.prototype.commit
    let refused = 0
    full.mockImplementation((writes) => {
      if (refused > 0 || !writes.some(({ kind }) => kind === 'session.remove')) return commit.call(ana.store, writes)
      refused += 1
      return Promise.reject(new SkeinError('DISK_FULL', 'No room.'))
    })
    await bo.messenger.devices.revoke(device)
    await world.run(60_000)
    expect(refused).toBe(1)
    expect(await ana.store.outbox(device, 0, 9)).toEqual([])
  })

  it('an own device that the list has lost already is taken out of the book, and what waits for it goes', async () => {
    const { world, bo, phone, ana } = await household(5_4)
    const { device } = phone.messenger.identity
    world.kill(phone)
    await world.send(bo, ana, 'a copy waits for the phone')
    await world.run(1_000)
    const [contact] = (await bo.store.contacts()).filter(({ account }) => account === bo.messenger.identity.account)
    const entry = bo.messenger.book.device(device)
    if (contact === undefined || entry === undefined) throw new Error('no phone')
    const rows = await bo.store.outbox(device, 0, 9)
    await bo.messenger.devices.revoke(device)
    await world.run(5_000)
    world.kill(bo)
    const kept = rows.map((row) => ({ kind: 'outbox.insert', row }) as const)
    await bo.store.commit([{ kind: 'contact.put', contact, devices: [entry] }, ...kept])
    const back = await world.restart(bo)
    await world.run(40_000)
    expect(back.messenger.book.ownDevices()).toEqual([])
    expect([rows.length > 0, await back.store.outbox(device, 0, 9)]).toEqual([true, []])
  })
})
