/** Mail that waits at a relay, on real processes. */
import { expect, it } from 'vitest'
import { befriend, compareHistories, eventually, Lab, type LabClient } from './processes.ts'

/** Waits until a client has tokens with which it could leave mail at a relay. */
async function hasTokens(client: LabClient): Promise<void> {
  await eventually(`${client.name} has tokens`, async () =>
    (await client.run('mailbox')).json.mailboxes.some(({ tokens }: { tokens: number }) => tokens > 0),
  )
}

it('[DL18] the sender is off after sending, the recipient comes back later: delivered without the sender', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  const [ana, bo] = [await lab.client('ana', [relay.url]), await lab.client('bo', [relay.url])]
  await befriend(ana, bo)
  await Promise.all([hasTokens(ana), hasTokens(bo)])
  await bo.end()
  for (const text of ['one', 'two', 'three']) {
    const sent = await ana.run('send', 'bo', '--wait', 'carried', '--timeout', '60s', '--', text)
    expect(sent).toMatchObject({ code: 0, json: { messages: [{ state: 'carried' }] } })
  }
  expect((await ana.run('why', 'bo')).json).toMatchObject({
    path: 'mailbox',
    reasons: expect.arrayContaining([expect.objectContaining({ rung: 'mailbox' })]),
  })
  expect((await ana.run('outbox')).json.outbox).toMatchObject(Array(3).fill({ state: 'carried', carriers: [relay.url], hold: null }))
  await ana.end()
  await bo.start()
  await eventually('bo has the mail', async () => (await bo.history('ana')).length === 3)
  expect((await bo.history('ana')).map(({ text }) => text)).toEqual(['one', 'two', 'three'])
  await ana.start()
  await eventually('ana knows', async () => (await ana.history('bo')).every(({ state }) => state === 'delivered'))
  expect((await ana.run('outbox')).json.outbox).toEqual([])
})

it('[MB6] a relay that is killed for good after it took the mail: delivered through the other mailbox, or by the sender', async () => {
  await using lab = await Promise.resolve(new Lab())
  const [first, second] = [await lab.relay('first'), await lab.relay('second')]
  const relays = [first.url, second.url]
  const [ana, bo] = [await lab.client('ana', relays), await lab.client('bo', relays)]
  await befriend(ana, bo)
  await eventually('ana has tokens for both', async () =>
    (await ana.run('mailbox')).json.mailboxes.every(({ tokens }: { tokens: number }) => tokens > 0),
  )
  await bo.end()
  await ana.run('send', 'bo', '--wait', 'carried', '--timeout', '60s', '--', 'by two')
  await eventually('both have it', async () => (await ana.run('outbox')).json.outbox[0]?.carriers.length === 2)
  await first.end('SIGKILL')
  await ana.end()
  await bo.start()
  await eventually('bo has it from the other', async () => (await bo.history('ana')).some(({ text }) => text === 'by two'))
  await bo.end()
  await ana.start()
  await ana.run('send', 'bo', '--wait', 'carried', '--timeout', '60s', '--', 'by one')
  await second.end('SIGKILL')
  await first.start()
  await bo.start()
  await eventually('bo has it from ana', async () => (await bo.history('ana')).length === 2, { within: 120_000 })
  await eventually('ana knows', async () => (await ana.history('bo')).every(({ state }) => state === 'delivered'), { within: 120_000 })
  expect(await compareHistories(ana, bo)).toEqual({ sent: 2, lost: 0, doubled: 0 })
}, 400_000)
