/** Clients in real browser tabs, with each other and with the command line, over a real relay. */
import { expect, it } from 'vitest'
import { eventually, Lab } from '../processes.ts'
import { findChromium, MISSING } from './chromium.ts'
import { type PageClient, Pages } from './pages.ts'

const skipped = findChromium() === undefined && !process.env['CI']
if (skipped) process.stderr.write(`\nSKIPPED: clients in a browser. ${MISSING}\n\n`)

/** The page is joined to its relay, so that its invites can be taken. */
const joined = (client: PageClient): Promise<void> =>
  eventually('the page joins its relay', async () => (await client.call('status')).relays.some(({ reserved }) => reserved))

async function befriend(inviter: PageClient, invited: PageClient): Promise<void> {
  await joined(inviter)
  const { invite } = await inviter.call('invite')
  await invited.call('add', { invite })
  await eventually('both are contacts', async () => {
    const sides = await Promise.all([inviter.call('contacts'), invited.call('contacts')])
    return sides.every(({ contacts }) => contacts.some(({ state }) => state === 'accepted'))
  })
}

it.skipIf(skipped)('[BN1] two browsers talk, reload, and have their history', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  await using pages = await Pages.open()
  const [there, here] = [await pages.context(), await pages.context()]
  const ana = await pages.tab(there, { name: 'ana', relays: [relay.url] })
  const bo = await pages.tab(here, { name: 'bo', relays: [relay.url] })
  await befriend(ana, bo)
  expect(await ana.send('bo', 'from a tab')).toMatchObject({ state: 'delivered' })
  expect(await bo.send('ana', 'and back')).toMatchObject({ state: 'delivered' })
  const before = await bo.history('ana')
  expect(before.map(({ direction, text }) => [direction, text])).toEqual([
    ['in', 'from a tab'],
    ['out', 'and back'],
  ])
  await bo.page.reload()
  expect(await bo.history('ana')).toEqual(before)
  expect(await ana.send('bo', 'after a reload')).toMatchObject({ state: 'delivered' })
})

it.skipIf(skipped)(
  '[BN2] a page on an origin that is not secure talks to the command line, and keeps its state over a reload',
  async () => {
    await using lab = await Promise.resolve(new Lab())
    const relay = await lab.relay()
    const cli = await lab.client('cli', [relay.url])
    await using pages = await Pages.open()
    const guest = await pages.tab(await pages.context(), { name: 'guest', relays: [relay.url], insecure: true })
    expect(await guest.page.evaluate(() => [globalThis.isSecureContext, typeof crypto.subtle])).toEqual([false, 'undefined'])
    await cli.joined()
    const { json } = await cli.run('invite')
    await guest.call('add', { invite: json.invite })
    await eventually('the guest is a contact', async () => (await cli.run('contacts')).json.contacts.length === 1)
    expect(await guest.send('cli', 'from a phone')).toMatchObject({ state: 'delivered' })
    expect(await cli.run('send', 'guest', '--wait', 'delivered', '--', 'welcome')).toMatchObject({ code: 0 })
    const { account } = await guest.call('status')
    await guest.page.reload()
    expect((await guest.call('status')).account).toBe(account)
    expect((await guest.history('cli')).map(({ text }) => text)).toEqual(['from a phone', 'welcome'])
    expect(await cli.run('send', 'guest', '--wait', 'delivered', '--', 'still there?')).toMatchObject({ code: 0 })
  },
)

it.skipIf(skipped)('[BN3] a second tab follows the first, and takes over when it closes, without a message lost', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  const cli = await lab.client('cli', [relay.url])
  await using pages = await Pages.open()
  const context = await pages.context()
  const person = { name: 'ana', relays: [relay.url] }
  const first = await pages.tab(context, person)
  const second = await pages.tab(context, person)
  expect([await first.leads(), await second.leads()]).toEqual([true, false])
  await cli.joined()
  await second.call('add', { invite: (await cli.run('invite')).json.invite })
  await eventually('they are contacts', async () => (await cli.run('contacts')).json.contacts.length === 1)
  expect(await second.send('cli', 'through the first')).toMatchObject({ state: 'delivered' })
  await cli.run('send', 'ana', '--', 'on the way')
  await first.page.close()
  await cli.run('send', 'ana', '--', 'to whoever is there')
  await eventually('the second leads', () => second.leads())
  await eventually('all has arrived', async () => (await second.history('cli')).length === 3)
  expect(await second.send('cli', 'from the second')).toMatchObject({ state: 'delivered' })
  expect((await second.history('cli')).map(({ text }) => text)).toEqual([
    'through the first',
    'on the way',
    'to whoever is there',
    'from the second',
  ])
})

it.skipIf(skipped)('[BN4] changed settings count at once, in all tabs, and stay', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  await using pages = await Pages.open()
  const context = await pages.context()
  const [first, second] = [await pages.tab(context, { name: 'ana', relays: [] }), await pages.tab(context, { name: 'ana', relays: [] })]
  const { account } = await first.call('status')
  const changes = [second.call('configure', { name: 'Ana' }), second.call('configure', { relays: [relay.url] })]
  for (const change of changes) expect(await change).toMatchObject({ applied: true })
  for (const tab of [first, second]) {
    await eventually('the client has started anew', async () => (await tab.call('settings').catch(() => undefined))?.name === 'Ana')
    await joined(tab)
    expect((await tab.call('status')).account).toBe(account)
  }
  await second.page.close()
  await first.page.reload()
  expect(await first.call('settings')).toMatchObject({ name: 'Ana', relays: [relay.url] })
})

it.skipIf(skipped).each([false, true])(
  '[TB7] the browser freezes the tab that leads: another goes on, and the first one follows it when it is back (not secure: %s)',
  async (insecure) => {
    await using pages = await Pages.open()
    const context = await pages.context()
    const person = { name: 'ana', relays: [], insecure }
    const first = await pages.tab(context, person)
    const second = await pages.tab(context, person)
    const { account } = await first.call('status')
    expect([await first.leads(), await second.leads()]).toEqual([true, false])
    const devtools = await context.newCDPSession(first.page)
    await devtools.send('Debugger.enable')
    // A page that is shown is never frozen by itself: it is told of it, and stands still.
    await first.page.evaluate(() => document.dispatchEvent(new Event('freeze')))
    await devtools.send('Debugger.pause')
    await eventually('the second leads', () => second.leads())
    expect((await second.call('status')).account).toBe(account)
    await devtools.send('Debugger.disable')
    await first.page.evaluate(() => void document.dispatchEvent(new Event('resume')))
    await eventually('the first follows', async () => (await first.call('status').catch(() => undefined))?.account === account)
    expect([await first.leads(), await second.leads()]).toEqual([false, true])
  },
)
