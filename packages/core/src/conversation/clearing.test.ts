import { expect, it } from 'vitest'
import { World } from '../testing/world.ts'
import { content, filesOf, offer, pair, until } from '../testing/file-pair.ts'

it('[MK12] a deleted conversation is gone here, the contact stays with theirs, and talking goes on', async () => {
  const world = new World(71)
  const [ana, bo, cy] = [await world.start('ana'), await world.start('bo'), await world.start('cy')]
  await world.befriend(ana, bo)
  await world.befriend(ana, cy)
  const first = await world.send(ana, bo, 'secret one')
  await world.send(bo, ana, 'secret two')
  await world.send(ana, cy, 'secret elsewhere')
  await world.run(3_000)
  await ana.messenger.conversation.annotate({ kind: 'reaction', target: first.id, emoji: '👍' })
  await ana.messenger.send(world.contactOf(ana, bo), { kind: 'timer', disappearAfterMs: 60_000 })
  await world.run(2_000)
  const { account } = bo.messenger.identity
  await ana.messenger.conversation.clear(account)
  expect((await world.history(ana, bo)).map(({ kind }) => kind)).toEqual(['timer'])
  expect((await ana.messenger.conversation.search('secret', {})).map(({ text }) => text)).toEqual(['secret elsewhere'])
  expect(ana.events).toContainEqual({ kind: 'cleared', account })
  expect((await world.history(bo, ana)).filter(({ kind }) => kind === 'text')).toHaveLength(2)
  // The other side talks about what is no more here.
  await bo.messenger.conversation.annotate({ kind: 'reaction', target: first.id, emoji: '🎉' })
  await world.send(bo, ana, 'a new beginning')
  await world.run(2_000)
  expect((await world.history(ana, bo)).map(({ text }) => text)).toEqual(['', 'a new beginning'])
  const [known] = (await ana.messenger.conversations()).filter(({ contact }) => contact.account === account)
  expect(known).toMatchObject({ contact: { state: 'accepted' }, unread: 1, last: { text: 'a new beginning', disappearAfterMs: 60_000 } })
  await ana.messenger.conversation.clear(account)
  await ana.messenger.conversation.clear(account)
  expect((await ana.messenger.conversations()).find(({ contact }) => contact.account === account)).toMatchObject({ unread: 0 })
})

it('[MK12] what has not left does not leave any more; what comes again is not shown again', async () => {
  const world = new World(72)
  const [ana, bo] = [await world.start('ana'), await world.start('bo')]
  await world.befriend(ana, bo)
  world.network.partition(ana.messenger.identity.device, bo.messenger.identity.device, true)
  await world.send(ana, bo, 'unsent')
  await ana.messenger.conversation.clear(bo.messenger.identity.account)
  expect(await ana.messenger.deliveries.outbox()).toEqual([])
  world.network.partition(ana.messenger.identity.device, bo.messenger.identity.device, false)
  await world.run(300_000)
  expect(await world.history(bo, ana)).toEqual([])
  const sent = await world.send(bo, ana, 'once')
  await world.run(2_000)
  const stored = await ana.store.message(sent.id)
  if (stored === null) throw new Error('nothing came')
  await ana.messenger.conversation.clear(bo.messenger.identity.account)
  expect(await ana.store.commit([{ kind: 'message.insert', message: stored }])).toEqual(['duplicate'])
  expect(await world.history(ana, bo)).toEqual([])
})

it('[MK12] [DL17] what was said about messages and waits does not leave either, but for a taking back; each can be given up', async () => {
  const world = new World(74)
  const [ana, bo] = [await world.start('ana'), await world.start('bo')]
  await world.befriend(ana, bo)
  const sent = [await world.send(ana, bo, 'one'), await world.send(ana, bo, 'two'), await world.send(ana, bo, 'three')]
  await world.run(3_000)
  const [one, two, three] = sent.map(({ id }) => id)
  if (one === undefined || two === undefined || three === undefined) throw new Error('nothing was sent')
  world.network.partition(ana.messenger.identity.device, bo.messenger.identity.device, true)
  const { conversation, deliveries } = ana.messenger
  await conversation.annotate({ kind: 'edit', target: two, text: 'two, better' })
  const [waiting] = await deliveries.outbox()
  if (waiting === undefined) throw new Error('nothing waits')
  expect(await deliveries.cancel(waiting.message)).toMatchObject({ id: two, text: 'two, better' })
  expect([await deliveries.outbox(), await ana.store.progress(waiting.message)]).toEqual([[], []])
  await expect(deliveries.cancel(waiting.message)).rejects.toMatchObject({ code: 'MESSAGE_UNKNOWN' })
  await conversation.annotate({ kind: 'deletion', target: one })
  await conversation.annotate({ kind: 'reaction', target: two, emoji: '👍' })
  await conversation.annotate({ kind: 'edit', target: three, text: 'three, better' })
  expect(await deliveries.outbox()).toHaveLength(3)
  await world.send(ana, bo, 'unsent')
  await conversation.clear(bo.messenger.identity.account)
  expect(await deliveries.outbox()).toHaveLength(1)
  world.network.partition(ana.messenger.identity.device, bo.messenger.identity.device, false)
  await world.run(300_000)
  expect((await world.history(bo, ana)).map(({ text, contactReaction }) => [text, contactReaction])).toEqual([
    ['', null],
    ['two', null],
    ['three', null],
  ])
})

it('[MK12] transfers go too: one on its way ends at both sides, and what was received stays where it is', async () => {
  const both = await pair(73)
  const { world, ana, bo } = both
  ana.disk.files.set('a.bin', content(1, 40_000))
  ana.disk.files.set('b.bin', content(2, 4_000_000))
  const done = await offer(both)
  await filesOf(bo).accept(done.id, 'in')
  await world.run(5_000)
  const begun = await offer(both, ['b.bin'])
  await filesOf(bo).accept(begun.id, 'in')
  await until(world, () => filesOf(bo).get(begun.id).bytes > 0)
  await bo.node.messenger.conversation.clear(ana.node.messenger.identity.account)
  await world.run(5_000)
  expect([filesOf(bo).list(), await bo.node.store.transfers()]).toEqual([[], []])
  expect([...bo.disk.files.keys()]).toEqual(['in/a.bin'])
  expect(filesOf(ana).get(begun.id).state).toBe('cancelled')
  expect(filesOf(ana).get(done.id).state).toBe('done')
})

it('[MK12] more than a list shows of what has not left is given up as well', async () => {
  const world = new World(73)
  const [ana, bo] = [await world.start('ana'), await world.start('bo')]
  await world.befriend(ana, bo)
  world.network.partition(ana.messenger.identity.device, bo.messenger.identity.device, true)
  const contact = world.contactOf(ana, bo)
  for (let n = 0; n < 1_050; n += 1) await ana.messenger.send(contact, `unsent ${n}`)
  await ana.messenger.conversation.clear(bo.messenger.identity.account)
  world.network.partition(ana.messenger.identity.device, bo.messenger.identity.device, false)
  await world.run(300_000)
  expect(await world.history(bo, ana)).toEqual([])
})
