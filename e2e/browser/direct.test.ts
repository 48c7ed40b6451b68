/** Two browsers that find a direct connection: nothing of theirs passes the relay any more, and they do not need it. */
import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { eventually, Lab, type LabRelay } from '../processes.ts'
import { findChromium, MISSING } from './chromium.ts'
import { Interface } from './interface-pages.ts'
import { type PageClient, Pages } from './pages.ts'

const skipped = findChromium() === undefined && !process.env['CI']
if (skipped) process.stderr.write(`\nSKIPPED: browsers with a direct connection. ${MISSING}\n\n`)

const RELAYED = /^skein_relay_relayed_bytes_total(?:\{[^}]*\})? (\d+)$/gm

/** Bytes that the relay has passed on since its start. */
async function relayedBytes({ url }: LabRelay): Promise<number> {
  const samples = [...(await (await fetch(`${url}/metrics`)).text()).matchAll(RELAYED)]
  expect(samples).not.toEqual([])
  return samples.reduce((sum, [, bytes]) => sum + Number(bytes), 0)
}

async function isDirect(client: PageClient): Promise<boolean> {
  const [known] = (await client.call('contacts')).contacts
  if (known === undefined) return false
  const { path, transport } = await client.call('why', { contact: known.contact })
  return path === 'direct' && transport === 'webrtc'
}

it.skipIf(skipped)('[BN5] the connection of two browsers becomes direct: the relay passes nothing on, and may be killed', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  await using pages = await Pages.open()
  const ana = await pages.tab(await pages.context(), { name: 'ana', relays: [relay.url] })
  const bo = await pages.tab(await pages.context(), { name: 'bo', relays: [relay.url] })
  await eventually('ana joins', async () => (await ana.call('status')).relays.some(({ reserved }) => reserved))
  await bo.call('add', { invite: (await ana.call('invite')).invite })
  expect(await bo.send('ana', 'hello')).toMatchObject({ state: 'delivered' })
  await eventually('both are direct', async () => (await isDirect(ana)) && (await isDirect(bo)))
  const before = await relayedBytes(relay)
  const size = 10_000
  // Random text: it cannot be compressed below that.
  for (let n = 0; n < 5; n += 1) expect(await ana.send('bo', randomBytes(size).toString('hex'))).toMatchObject({ state: 'delivered' })
  // Less than one of them: what upkeep there is on a circuit that stands.
  expect((await relayedBytes(relay)) - before).toBeLessThan(size)
  await relay.end('SIGKILL')
  expect(await ana.send('bo', 'without a relay')).toMatchObject({ state: 'delivered' })
  expect(await bo.send('ana', 'as well')).toMatchObject({ state: 'delivered' })
  expect((await bo.history('ana')).map(({ text }) => text.slice(0, 20))).toContain('without a relay')
})

it.skipIf(skipped)('[UI8] the relay stops and comes back in mid-conversation: the two go on, and see how it stands', async () => {
  await using world = await Interface.open()
  const [ana, bo] = [await world.person(), await world.person()]
  await ana.enter('Ana')
  await ana.joined()
  await bo.enter('Bo', await ana.invite())
  await bo.write('first')
  await bo.sees('first', 'delivered')
  await ana.page.getByRole('link', { name: /first/ }).click()
  for (const { page } of [ana, bo]) await page.locator('[data-path="direct"]').waitFor()
  await ana.page.getByRole('heading', { name: 'Bo' }).click()
  await ana.page.getByText('Direct connection').last().click()
  await ana.page.getByText('Through both routers, by WebRTC: in use').waitFor()
  expect(await ana.faults()).toEqual([])
  await ana.page.keyboard.press('Escape')
  await ana.area('Network')
  await ana.page.getByRole('button', { name: 'Check the connection' }).click()
  await ana.page.getByText(/Joined; others reach this device over it/).waitFor()
  expect(await ana.faults()).toEqual([])
  await ana.area('Chats')
  await ana.page.getByRole('link', { name: /first/ }).click()
  await world.relay.end()
  for (const { page } of [ana, bo]) await page.locator('[data-tone="bad"]').waitFor()
  await ana.write('the relay has gone')
  await ana.sees('the relay has gone', 'delivered')
  await bo.write('so I see')
  await bo.sees('so I see', 'delivered')
  await ana.sees('so I see')
  await world.relay.start()
  for (const each of [ana, bo]) await each.joined()
  await bo.write('it is back')
  await bo.sees('it is back', 'delivered')
  await ana.sees('it is back')
  expect([ana.complaints, bo.complaints]).toEqual([[], []])
})
