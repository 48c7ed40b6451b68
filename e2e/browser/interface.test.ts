/** The interface as two people use it, over a real relay that serves it. */
import { expect, it } from 'vitest'
import { findChromium, MISSING } from './chromium.ts'
import { Interface, type Person, PHONE } from './interface-pages.ts'

const skipped = findChromium() === undefined && !process.env['CI']
if (skipped) process.stderr.write(`\nSKIPPED: the interface in a browser. ${MISSING}\n\n`)

const SCRIPT = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'

const wasHacked = ({ page }: Person): Promise<boolean> => page.evaluate(() => 'hacked' in globalThis)

it.skipIf(skipped)('[UI1] two people meet by an invite link, talk, and have their history after a reload', async () => {
  await using world = await Interface.open()
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
  await using world = await Interface.open()
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
  for (const area of ['Chats', 'People', 'Files', 'Network', 'Settings']) {
    await ana.area(area)
    await ana.page.getByRole('heading', { name: area, exact: true }).waitFor()
    await look(area)
  }
  await ana.page.getByLabel('Theme').selectOption('dark')
  await ana.page.getByLabel('Language').selectOption('de')
  await ana.page.getByRole('heading', { name: 'Einstellungen' }).waitFor()
  await look('dark settings')
  await ana.area('Chats')
  await ana.page.getByRole('button', { name: 'Einladen' }).click()
  await ana.page.getByLabel('Deine Einladung', { exact: true }).waitFor()
  await look('invite')
  await ana.page.keyboard.press('Escape')
  await ana.page.getByRole('button', { name: 'Hinzufügen' }).click()
  await ana.page.getByLabel('Einladungslink').waitFor()
  await look('add')
  expect(found).toEqual([])
  expect(ana.complaints).toEqual([])
})

it.skipIf(skipped)('[UI3] after one visit the page opens with its server down, and says that the relay does not answer', async () => {
  await using world = await Interface.open()
  const ana = await world.person()
  await ana.enter('Ana')
  await ana.joined()
  await ana.page.evaluate(() => navigator.serviceWorker.ready)
  await world.relay.end()
  await ana.page.reload()
  await ana.page.locator('[data-tone="bad"]').waitFor()
  await ana.page.getByText('No conversation yet.').waitFor()
})

it.skipIf(skipped)('[UI4] what cannot be an invite is refused with a sentence, and an own invite too', async () => {
  await using world = await Interface.open()
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
