import { expect, it } from 'vitest'
import { messageIdFromBytes } from '../ids.ts'
import { World } from '../testing/world.ts'

it('[CV1] a list of conversations shows the newest message of each and counts what the user has not seen', async () => {
  const world = new World(50)
  const [ana, bo, cy] = [await world.start('ana'), await world.start('bo'), await world.start('cy')]
  await world.befriend(ana, bo)
  await world.befriend(ana, cy)
  for (const text of ['one', 'two', 'three']) {
    await world.send(bo, ana, text)
    await world.run(1_000)
  }
  await world.send(ana, bo, 'own')
  await world.run(1_000)
  await world.send(cy, ana, 'later')
  await world.run(1_000)
  const shown = async (): Promise<unknown> =>
    (await ana.messenger.conversations()).map(({ contact, last, unread }) => [contact.petname, last?.text, unread])
  expect(await shown()).toEqual([
    ['cy', 'later', 1],
    ['bo', 'own', 3],
  ])
  const account = bo.messenger.identity.account
  const [first, second, , own] = await ana.messenger.history(account, {})
  if (first === undefined || second === undefined || own === undefined) throw new Error('messages are missing')
  expect(await ana.messenger.seen(account, second.id)).toBe(1)
  expect(ana.events.at(-1)).toMatchObject({ kind: 'seen', account, unread: 1 })
  // A window that lags does not make anything unread again.
  expect(await ana.messenger.seen(account, first.id)).toBe(1)
  expect(await ana.messenger.seen(account, own.id)).toBe(0)
  await expect(ana.messenger.seen(cy.messenger.identity.account, own.id)).rejects.toMatchObject({ code: 'MESSAGE_UNKNOWN' })
  const again = await world.restart(ana)
  expect((await again.messenger.conversations()).map(({ unread }) => unread)).toEqual([1, 0])
})

it('[CV2] what comes late, before something that was seen, is unread all the same, and seen with the next word', async () => {
  const world = new World(51)
  const [ana, bo] = [await world.start('ana'), await world.start('bo')]
  await world.befriend(ana, bo)
  const { account } = bo.messenger.identity
  await world.send(bo, ana, 'in time')
  await world.run(1_000)
  const [inTime] = await ana.messenger.history(account, {})
  if (inTime === undefined) throw new Error('nothing came')
  expect(await ana.messenger.seen(account, inTime.id)).toBe(0)
  // As a mailbox brings it that was asked late: written before, come behind.
  const late = { ...inTime, id: messageIdFromBytes(new Uint8Array(16)), text: 'late', hlcMs: inTime.hlcMs - 1_000, seen: false }
  await ana.store.commit([{ kind: 'message.insert', message: late }])
  const shown = async () => (await ana.messenger.conversations()).map(({ last, unread }) => [last?.text, unread])
  expect(await shown()).toEqual([['in time', 1]])
  expect(await ana.messenger.seen(account, inTime.id)).toBe(0)
  expect((await ana.messenger.history(account, {})).map(({ text, seen }) => [text, seen])).toEqual([
    ['late', true],
    ['in time', true],
  ])
})

it('[RC2] what is read on a device that has it from another own device is told to its sender', async () => {
  const world = new World(52)
  const [ana, bo] = [await world.start('ana'), await world.start('bo', { readReceipts: true })]
  await world.befriend(ana, bo)
  const sent = await world.send(ana, bo, 'before the laptop')
  await world.run(2_000)
  const fresh = await world.start('laptop')
  const laptop = await world.link(bo, fresh, () => ({ store: fresh.store.reopened(), readReceipts: true }))
  await world.run(10_000)
  await laptop.messenger.seen(ana.messenger.identity.account, sent.id)
  await world.run(5_000)
  expect((await ana.messenger.message(sent.id))?.state).toBe('read')
})
