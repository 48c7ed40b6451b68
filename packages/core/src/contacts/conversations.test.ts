import { expect, it } from 'vitest'
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
