import { expect, it } from 'vitest'
import { befriend, eventually, Lab } from './processes.ts'

it('[MK1] [MK3] [MK4] [MK12] people answer, react, edit, take back and delete from the command line, also while the other side is away', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  const [ana, bo] = [await lab.client('ana', [relay.url]), await lab.client('bo', [relay.url])]
  await befriend(ana, bo)
  const sent = await ana.run('send', 'bo', '--wait', 'delivered', '--', 'helo')
  const id = sent.json.messages[0].id as string
  await bo.run('send', 'ana', '--reply-to', id, '--wait', 'delivered', '--', 'hi')
  expect((await bo.run('react', id, '👍')).json).toMatchObject({ id, own_reaction: '👍' })
  expect((await bo.run('edit', id, 'mine now')).json.error.code).toBe('NOT_YOURS')
  await bo.end('SIGKILL')
  expect((await ana.run('edit', id, 'hello')).json).toMatchObject({ text: 'hello', edited_at: expect.any(Number) })
  const unsaid = await ana.run('send', 'bo', '--', 'unsaid')
  expect((await ana.run('delete', unsaid.json.messages[0].id)).json).toMatchObject({ text: '', deleted_at: expect.any(Number) })
  await bo.start()
  await eventually('the edit has arrived', async () => (await bo.history('ana'))[0]?.text === 'hello')
  await eventually('all has left', async () => (await ana.run('outbox')).json.outbox.length === 0)
  const [first, answer, ...more] = await ana.history('bo')
  expect(first).toMatchObject({ text: 'hello', contact_reaction: '👍' })
  expect(answer).toMatchObject({ text: 'hi', reply_to: id })
  expect(more).toMatchObject([{ text: '', deleted_at: expect.any(Number) }])
  expect((await ana.run('delete-conversation', 'bo')).json).toEqual({ contact: bo.account })
  expect(await ana.history('bo')).toEqual([])
  expect((await ana.run('contacts')).json.contacts).toMatchObject([{ contact: bo.account, state: 'accepted' }])
  // A mailbox may have had it already; then there is an empty place, and never the text.
  expect((await bo.history('ana')).map(({ text }) => text).filter((text) => text !== '')).toEqual(['hello', 'hi'])
})

it('[MK7] [MK11] texts disappear after reading; what stays is found by its words', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  const [ana, bo] = [await lab.client('ana', [relay.url]), await lab.client('bo', [relay.url])]
  await befriend(ana, bo)
  await ana.run('send', 'bo', '--wait', 'delivered', '--', 'Grüße aus Zürich')
  expect((await ana.run('timer', 'bo', '2s')).json).toEqual({ contact: bo.account, disappear_after_ms: 2_000 })
  await ana.run('send', 'bo', '--wait', 'delivered', '--', 'burn this, Zürich')
  await eventually('the sender\u2019s copy is gone', async () => (await ana.history('bo')).length === 2)
  const found = await bo.run('search', 'ZURICH burn')
  expect(found.json.messages).toMatchObject([{ text: 'burn this, Zürich', contact: ana.account, disappears_at: null }])
  expect((await ana.run('search', 'zur gru', '--in', 'bo')).json.messages).toMatchObject([{ text: 'Grüße aus Zürich' }])
  expect((await ana.run('search', 'burn')).json.messages).toEqual([])
  await bo.run('timer', 'ana', 'off')
  await eventually('the timer is off on both sides', async () => (await ana.run('timer', 'bo')).json.disappear_after_ms === null)
})
