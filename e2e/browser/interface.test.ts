/** The interface as two people use it, over a real relay that serves it. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { findChromium, MISSING } from './chromium.ts'
import { INSECURE, Interface, type Person, PHONE } from './interface-pages.ts'

const skipped = findChromium() === undefined && !process.env['CI']
if (skipped) process.stderr.write(`\nSKIPPED: the interface in a browser. ${MISSING}\n\n`)

let world: Interface
beforeAll(async () => {
  if (!skipped) world = await Interface.open()
})
afterAll(() => world?.[Symbol.asyncDispose]())

const SCRIPT = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'

const wasHacked = ({ page }: Person): Promise<boolean> => page.evaluate(() => 'hacked' in globalThis)

it.skipIf(skipped)('[UI1] two people meet by an invite link, talk, and have their history after a reload', async () => {
  const [ana, bo] = [await world.person(), await world.person({ viewport: PHONE })]
  await ana.enter('Ana')
  await ana.joined()
  const invite = await ana.invite()
  await bo.enter(SCRIPT.slice(0, 60), invite)
  await bo.page.getByLabel('Write a message').waitFor()
  expect(bo.page.url()).not.toContain(new URL(invite).hash)
  await bo.write('Hello from a phone')
  await bo.sees('Hello from a phone', 'delivered')
  await ana.page.getByRole('link', { name: /Hello from a phone/ }).click()
  await ana.sees('Hello from a phone')
  await ana.write(`${SCRIPT} ${'wide'.repeat(200)} שלום`)
  await ana.sees('onerror', 'delivered')
  await bo.sees('onerror')
  expect(await bo.overflow()).toBe(0)
  await bo.page.reload()
  await bo.sees('Hello from a phone')
  await bo.sees('onerror')
  expect([await wasHacked(ana), await wasHacked(bo)]).toEqual([false, false])
  expect([ana.complaints, bo.complaints]).toEqual([[], []])
})

it.skipIf(skipped)('[UI2] no screen has a grave fault of accessibility, or is wider than a phone', async () => {
  const ana = await world.person({ viewport: PHONE })
  await ana.page.goto(world.relay.url)
  await ana.page.getByLabel('What others see as your name').waitFor()
  const found: string[] = []
  const look = async (screen: string): Promise<void> => {
    const faults = [...(await ana.faults()), ...((await ana.overflow()) > 0 ? ['it is too wide'] : [])]
    found.push(...faults.map((fault) => `${screen}: ${fault}`))
  }
  await look('welcome')
  await ana.enter('Ana')
  await ana.joined()
  await look('Chats without any')
  const bo = await world.person()
  await bo.enter('W'.repeat(64), await ana.invite())
  await bo.write('somebody to talk to')
  await ana.page.getByRole('link', { name: /somebody to talk to/ }).waitFor()
  for (const area of ['Chats', 'People', 'Files', 'Network', 'Settings']) {
    await ana.area(area)
    await ana.page.getByRole('heading', { name: area, exact: true }).waitFor()
    await look(area)
  }
  await ana.page.getByLabel('Theme').selectOption('dark')
  await ana.page.getByLabel('Language').selectOption('de')
  await ana.page.getByRole('heading', { name: 'Optionen' }).waitFor()
  await look('dark settings')
  await ana.area('Chats')
  await ana.page.getByRole('button', { name: 'Einladen' }).click()
  await ana.page.getByLabel('Deine Einladung', { exact: true }).waitFor()
  await look('invite')
  await ana.page.keyboard.press('Escape')
  await ana.page.getByRole('button', { name: 'Hinzufügen' }).click()
  await ana.page.getByLabel('Einladungslink').waitFor()
  await look('add')
  await ana.page.keyboard.press('Escape')
  await ana.page.getByRole('link', { name: /somebody to talk to/ }).click()
  await ana.sees('somebody to talk to')
  await look('conversation')
  expect(found).toEqual([])
  expect(ana.complaints).toEqual([])
})

it.skipIf(skipped)('[UI3] after one visit the page opens with its server down, and says that the relay does not answer', async () => {
  await using away = await Interface.open()
  const ana = await away.person()
  await ana.enter('Ana')
  await ana.joined()
  await ana.page.evaluate(() => navigator.serviceWorker.ready)
  await away.relay.end()
  await ana.page.reload()
  await ana.page.locator('[data-tone="bad"]').waitFor()
  await ana.page.getByText('No conversation yet.').waitFor()
})

it.skipIf(skipped)('[UI4] what cannot be an invite is refused with a sentence, and an own invite too', async () => {
  const ana = await world.person()
  await ana.enter('')
  await ana.joined()
  const own = await ana.invite()
  await ana.page.getByRole('button', { name: 'Add contact' }).click()
  for (const [text, sentence] of [
    ['javascript:alert(1)', 'This is not an invite'],
    [`${own.slice(0, -4)}AAAA`, 'This invite is damaged'],
    [own, 'This is your own invite'],
  ] as const) {
    await ana.page.getByLabel('Invite link').fill(text)
    await ana.page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click()
    await ana.page.getByRole('alert').getByText(sentence).waitFor()
  }
  await ana.page.goto(`${world.relay.url}/#${'A'.repeat(76)}`)
  await ana.page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click()
  await ana.page.getByRole('dialog').getByRole('alert').getByText('another version').waitFor()
})

it.skipIf(skipped)('[UI5] on an origin that is not secure a guest is warned, and talks', async () => {
  const [ana, guest] = [await world.person(), await world.person({ viewport: PHONE })]
  await ana.enter('Ana')
  await ana.joined()
  await guest.enter('Guest', (await ana.invite()).replace('127.0.0.1', INSECURE))
  await guest.page.getByText('comes unprotected over the local network').waitFor()
  await guest.write('Hello as a guest')
  await guest.sees('Hello as a guest', 'delivered')
  await guest.page.reload()
  await guest.sees('Hello as a guest')
  await ana.page.getByRole('link', { name: /Hello as a guest/ }).click()
  await ana.write('Welcome')
  await guest.sees('Welcome')
  expect([ana.complaints, guest.complaints]).toEqual([[], []])
})

it.skipIf(skipped)('[UI6] a passphrase is asked for again, and a wrong one is refused', async () => {
  const ana = await world.person()
  await ana.page.goto(world.relay.url)
  await ana.page.getByLabel('Protect the keys').check()
  await ana.page.getByLabel('Passphrase', { exact: true }).fill('correct horse')
  await ana.page.getByRole('button', { name: /^Start/ }).click()
  await ana.joined()
  await ana.page.reload()
  await ana.page.getByRole('heading', { name: 'Skein is locked' }).waitFor()
  await ana.page.getByLabel('Passphrase', { exact: true }).fill('correct horse')
  await ana.page.getByRole('button', { name: 'Unlock' }).click()
  await ana.joined()
  await ana.area('Settings')
  await ana.page.getByLabel('Passphrase in use').fill('correct horse')
  await ana.page.getByLabel('New passphrase').fill('battery staple')
  await ana.page.getByRole('button', { name: 'Change the passphrase' }).click()
  await ana.page.getByText('It counts from the next opening on.').waitFor()
  // The next tab asks for it, and shows nothing before: not even what it had heard from the one that is gone.
  const second = await ana.anotherTab()
  await second.joined()
  await ana.page.close()
  for (const passphrase of ['correct horse', 'battery staple']) {
    await second.page.getByLabel('Passphrase', { exact: true }).fill(passphrase)
    await second.page.getByRole('button', { name: 'Unlock' }).click()
    if (passphrase === 'correct horse') await second.page.getByText('This passphrase does not fit.').waitFor()
    expect(await second.page.getByRole('navigation').count()).toBe(0)
  }
  await second.joined()
})

it.skipIf(skipped)('[UI7] a second tab shows the same, and goes on when the first is closed', async () => {
  const [ana, bo] = [await world.person(), await world.person()]
  await ana.enter('Ana')
  await ana.joined()
  await bo.enter('Bo', await ana.invite())
  await bo.write('to the first tab')
  await bo.sees('to the first tab', 'delivered')
  const second = await ana.anotherTab()
  await second.page.getByRole('link', { name: /to the first tab/ }).click()
  await second.sees('to the first tab')
  await ana.page.close()
  await bo.write('to the second tab')
  await second.sees('to the second tab')
  await second.write('from the second tab')
  await bo.sees('from the second tab')
})
