/** The interface as people use it, over a real relay that serves it. Starting clients is most of what this costs: the tests share two. */
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { findChromium, MISSING } from './chromium.ts'
import { DESK, holdBack, INSECURE, Interface, once, type Person, PHONE, scriptBytes } from './interface-pages.ts'
import { act, faultsOf, reactWith, restoreAt, saveBackup, saveText, seesTyping, staysWhenDropped, turnReceiptsOff } from './people-acts.ts'

const skipped = findChromium() === undefined && !process.env['CI']
if (skipped) process.stderr.write(`\nSKIPPED: the interface in a browser. ${MISSING}\n\n`)

let world: Interface
beforeAll(async () => {
  if (!skipped) world = await Interface.open()
})
afterAll(() => world?.[Symbol.asyncDispose]())

const SCRIPT = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'

/** The most that a page may load before its user can write, bytes of compressed script: some seconds on a slow line. */
const FIRST_LOAD_BYTES = 450_000

const wasHacked = ({ page }: Person): Promise<boolean> => page.evaluate(() => 'hacked' in globalThis)

/** Ana at a desk, Bo on a phone, in contact by Ana's invite. */
const met = once(async () => {
  const [ana, bo] = [await world.person(), await world.person({ viewport: PHONE })]
  await ana.enter('Ana')
  await ana.joined()
  const invite = await ana.invite()
  await holdBack(bo.page)
  await bo.enter(`Bo ${SCRIPT.slice(0, 57)}`, invite)
  await bo.page.getByLabel('Write a message').waitFor()
  return { ana, bo, invite, loaded: await scriptBytes(bo.page) }
})

/** A guest of Ana's by an origin that is not secure, whose name is as wide as names get and turns the order of words. */
const guestOfAna = once(async () => {
  const { ana } = await met()
  const guest = await world.person({ viewport: PHONE })
  await ana.at('/chats')
  await guest.enter(`\u202e${'W'.repeat(63)}`, (await ana.invite()).replace('127.0.0.1', INSECURE))
  await guest.page.getByText('comes unprotected over the local network').waitFor()
  return guest
})

it.skipIf(skipped)('[UI1] [UI19] two people meet by an invite link, talk, and have their history after a reload', async () => {
  const { ana, bo, invite, loaded } = await met()
  expect(bo.page.url()).not.toContain(new URL(invite).hash)
  await bo.write('Hello from a phone')
  await bo.sees('Hello from a phone', 'delivered')
  expect(loaded).toBeLessThanOrEqual(FIRST_LOAD_BYTES)
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

it.skipIf(skipped)('[UI9] people answer, react, edit, take back, search and let messages disappear', async () => {
  const { ana, bo } = await met()
  await bo.write('helo from Bo')
  await bo.write('a secret')
  await bo.sees('a secret', 'delivered')
  await ana.at('/chats')
  await ana.page.getByRole('link', { name: /a secret/ }).click()
  await ana.sees('helo from Bo')

  await act(ana, 'helo from Bo', '👍')
  await bo.page.locator('[data-reactions]', { hasText: '👍' }).waitFor()
  await reactWith(ana, 'helo from Bo', '🦊')
  await bo.page.locator('[data-reactions]', { hasText: '🦊' }).waitFor()
  await act(ana, 'helo from Bo', 'Reply')
  await ana.write('and from Ana')
  await bo.page.locator('[data-direction="in"]', { hasText: 'and from Ana' }).filter({ hasText: 'helo from Bo' }).waitFor()
  await act(bo, 'helo from Bo', 'Edit')
  await bo.page.getByLabel('Write a message').fill('hello from Bo')
  await bo.page.keyboard.press('Enter')
  await ana.page.locator('[data-direction="in"]', { hasText: 'hello from Bo' }).filter({ hasText: 'edited' }).waitFor()
  await act(bo, 'a secret', 'Take back for everybody')
  await ana.sees('Taken back')
  expect(await ana.page.locator('[data-direction]', { hasText: 'a secret' }).count()).toBe(0)

  await ana.page.getByRole('button', { name: 'Search messages' }).click()
  await ana.page.getByLabel('Words, or beginnings of words').fill('HELL bo')
  const hit = ana.page.getByRole('dialog').getByRole('link', { name: /hello from Bo/ })
  await hit.waitFor()
  const place = ana.page.getByLabel('Where', { exact: true })
  await place.selectOption(await place.locator('option', { hasText: /^Bo/ }).getAttribute('value'))
  await hit.waitFor()
  expect(await ana.faults()).toEqual([])
  await ana.page.keyboard.press('Escape')
  // Whoever closes a dialog is where it was opened.
  await ana.page.waitForFunction(() => document.activeElement?.getAttribute('aria-label') === 'Search messages')
  await ana.page.keyboard.press('Enter')
  await ana.page.keyboard.type('HELL bo')
  await hit.click()
  await ana.page.locator('[data-marked]', { hasText: 'hello from Bo' }).waitFor()
  // On a phone what is being written leaves room for its button, and survives a reload.
  const draft = `https://example.org/${'a'.repeat(60)}`
  await bo.page.getByLabel('Write a message').fill(draft)
  const box = await bo.page.getByRole('button', { name: 'Send', exact: true }).boundingBox()
  expect((box?.x ?? PHONE.width) + (box?.width ?? 0)).toBeLessThanOrEqual(PHONE.width)
  await bo.page.reload()
  await bo.page.getByLabel('Write a message').waitFor()
  expect(await bo.page.getByLabel('Write a message').inputValue()).toBe(draft)
  await bo.page.keyboard.press('Enter')
  await ana.page.getByRole('link', { name: draft }).and(ana.page.locator('[rel="noopener noreferrer"]')).waitFor()
  expect([...(await ana.faults()), ...(await bo.faults())]).toEqual([])

  await seesTyping(bo, ana)
  await bo.page.getByLabel('Write a message').fill('')
  await ana.page.getByRole('heading', { name: 'Bo' }).click()
  await ana.page.getByLabel('Messages disappear after reading').selectOption({ label: '30 seconds' })
  await bo.page.getByText(/Messages disappear 30 seconds after reading/).waitFor()
  expect(await ana.faults()).toEqual([])
  await ana.page.getByLabel('Messages disappear after reading').selectOption({ label: 'Another time…' })
  await ana.page.getByLabel('How many').fill('2')
  await ana.page.getByRole('button', { name: 'Set', exact: true }).click()
  await bo.page.getByText(/Messages disappear 2 hours after reading/).waitFor()
  await ana.page.getByLabel('Messages disappear after reading').selectOption({ label: 'They stay' })
  await bo.page.getByText('Messages stay from now on').waitFor()
  await ana.page.getByRole('dialog').getByRole('button', { name: 'Close' }).first().click()
})

it.skipIf(skipped)('[UI18] giant and right-to-left texts stay in their place; one that is too long is refused and kept', async () => {
  const { ana, bo } = await met()
  await bo.write(`${'ab \u202e\u05e9\u05dc\u05d5\u05dd '.repeat(2_500)}end`)
  await bo.sees('end', 'delivered')
  expect(await bo.overflow()).toBe(0)
  await ana.at('/chats')
  await ana.page.getByRole('link', { name: /Bo/ }).first().click()
  await ana.sees('end')
  expect(await ana.overflow()).toBe(0)
  // The order that a name turns ends with the name.
  const bidi = ana.page.locator('bdi.foreign').first()
  expect(await bidi.evaluate((each) => getComputedStyle(each).unicodeBidi)).toMatch(/isolate|plaintext/)
  await bo.write('x'.repeat(49_153))
  await bo.page.getByText('This text is longer than a message may be').waitFor()
  expect((await bo.page.getByLabel('Write a message').inputValue()).length).toBe(49_153)
  await bo.page.getByLabel('Write a message').fill('')
})

it.skipIf(skipped)('[UI5] on an origin that is not secure a guest is warned, and talks', async () => {
  const { ana } = await met()
  const guest = await guestOfAna()
  await guest.write('Hello as a guest')
  await guest.sees('Hello as a guest', 'delivered')
  await guest.page.reload()
  await guest.sees('Hello as a guest')
  await ana.at('/chats')
  await ana.page.getByRole('link', { name: /Hello as a guest/ }).click()
  await ana.write('Welcome')
  await guest.sees('Welcome')
  expect([ana.complaints, guest.complaints]).toEqual([[], []])
})

it.skipIf(skipped)('[UI2] no screen has a grave fault of accessibility, or is wider than a phone', async () => {
  const { ana } = await met()
  await guestOfAna()
  const fresh = await world.person({ viewport: PHONE })
  await fresh.page.goto(world.relay.url)
  await fresh.page.getByLabel('What others see as your name').waitFor()
  const found = [...(await faultsOf(fresh, 'welcome'))]
  await fresh.context.close()
  const { page } = ana
  const look = async (screen: string): Promise<void> => void found.push(...(await faultsOf(ana, screen)))
  await page.setViewportSize(PHONE)
  await ana.at('/settings')
  await page.getByLabel(/^(Language|Sprache)$/).selectOption('en')
  for (const area of ['Chats', 'People', 'Files', 'Network', 'Settings']) {
    await ana.area(area)
    await page.getByRole('heading', { name: area, exact: true }).waitFor()
    await look(area)
  }
  await page.getByLabel('Theme').selectOption('dark')
  await page.getByLabel('Language').selectOption('de')
  await page.getByRole('heading', { name: 'Optionen' }).waitFor()
  await look('dark settings')
  await ana.area('Chats')
  await page.getByRole('button', { name: 'Einladen' }).click()
  await page.getByLabel('Deine Einladung', { exact: true }).waitFor()
  await look('invite')
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Hinzufügen' }).click()
  await page.getByLabel('Einladungslink').waitFor()
  await look('add')
  await page.keyboard.press('Escape')
  await page.getByRole('link', { name: /Bo/ }).click()
  await page.locator('[data-direction]').first().waitFor()
  await look('conversation')
  await ana.at('/settings')
  await page.getByLabel('Farben').selectOption('system')
  await page.getByLabel('Sprache').selectOption('en')
  await page.setViewportSize(DESK)
  expect(found).toEqual([])
  expect(ana.complaints).toEqual([])
})

it.skipIf(skipped)('[UI4] what cannot be an invite is refused with a sentence, and an own invite too', async () => {
  const { ana } = await met()
  await ana.at('/chats')
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
  await ana.page.keyboard.press('Escape')
  await ana.at('A'.repeat(76))
  await ana.page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click()
  await ana.page.getByRole('dialog').getByRole('alert').getByText('another version').waitFor()
  await ana.page.keyboard.press('Escape')
})

it.skipIf(skipped)('[UI26] no script stands in a page, and the policy allows none', async () => {
  for (const path of ['/', '/404.html']) {
    const answer = await fetch(`${world.relay.url}${path}`)
    const policy = answer.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';")
    const scripts = [...(await answer.text()).matchAll(/<script[^>]*>/g)].map(([tag]) => tag)
    expect(scripts.length).toBeGreaterThan(1)
    expect(scripts.filter((tag) => !/ (src="\/|type="application\/json")/.test(tag))).toEqual([])
  }
})

it.skipIf(skipped)('[UI7] a second tab shows the same, and goes on when the first is closed', async () => {
  const people = await met()
  const { ana, bo } = people
  await ana.at('/chats')
  await ana.page.getByRole('link', { name: /Bo/ }).click()
  await ana.write('to the first tab')
  await bo.sees('to the first tab')
  const second = await bo.anotherTab()
  await second.page.getByRole('link', { name: /to the first tab/ }).click()
  await second.sees('to the first tab')
  await bo.page.close()
  people.bo = second
  await ana.write('to the second tab')
  await second.sees('to the second tab')
  await second.write('from the second tab')
  await ana.sees('from the second tab')
})

it.skipIf(skipped)(
  '[UI20] [UI21] one text goes to several people; what is not delivered is counted, explained, given up and sent again',
  async () => {
    const people = await met()
    const { ana, bo } = people
    const guest = await guestOfAna()
    const { page } = ana
    await ana.at('/chats')
    await page.getByRole('button', { name: 'Write to several people' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Message', { exact: true }).fill('to both of you')
    for (const name of [/^Bo/, /WWWW/]) await dialog.getByRole('checkbox', { name }).check()
    expect(await ana.faults()).toEqual([])
    await dialog.getByRole('button', { name: 'Send to 2 people' }).click()
    await dialog.getByText('It is on its way to everybody chosen.').waitFor()
    await page.keyboard.press('Escape')
    for (const each of [bo, guest]) await each.sees('to both of you')

    await bo.page.close()
    await page
      .getByRole('link', { name: /Bo <img/ })
      .first()
      .click()
    await ana.write('for when you are back')
    await page.locator('[data-mail="ready"]', { hasText: /1 waits here|1 at a relay/ }).click()
    const waiting = dialog.locator('[data-outbox]', { hasText: 'for when you are back' })
    await waiting.getByText(/^Device .*(on its way|reached|lies sealed)/).waitFor()
    expect(await ana.faults()).toEqual([])
    await waiting.getByRole('button', { name: 'Give up' }).click()
    await dialog.getByText('Nothing waits on this device.').waitFor()
    await page.keyboard.press('Escape')
    await ana.sees('for when you are back', 'failed')
    await page.getByText('It was given up here.').waitFor()
    await page.getByRole('button', { name: 'Not sent. Send again' }).click()
    people.bo = await bo.anotherTab()
    await ana.sees('for when you are back', 'delivered')
    expect(ana.complaints).toEqual([])
  },
)

it.skipIf(skipped)(
  '[UI9] [UI22] [BN8] read receipts are turned off; a backup is saved and restored in another browser, which takes the place of the first',
  async () => {
    const [cy, di, again] = await Promise.all([world.person(), world.person(), world.person()])
    try {
      await cy.enter('Cy')
      await cy.joined()
      await di.enter('Di', await cy.invite())
      await di.write('before the backup')
      await di.sees('before the backup', 'delivered')
      await turnReceiptsOff(di)
      expect(await readFile(await saveText(di), 'utf8')).toContain('before the backup')
      const file = await saveBackup(di, 'correct horse')
      expect(await readFile(file, 'latin1')).toMatch(/^age-encryption\.org\/v1\n/)
      await restoreAt(again, file)
      await again.page.getByRole('link', { name: /Cy/ }).click()
      await again.sees('before the backup', 'delivered')
      await again.joined()
      await again.write('from my new browser')
      await cy.page.getByRole('link', { name: /from my new browser/ }).click()
      await cy.sees('from my new browser')
      // What the try with another passphrase has left does not count.
      await again.page.reload()
      await again.page.getByRole('heading', { name: 'Skein is locked' }).waitFor()
      await again.page.getByLabel('Passphrase', { exact: true }).fill('correct horse')
      await again.page.getByRole('button', { name: 'Unlock' }).click()
      await again.joined()
      expect([cy.complaints, di.complaints, again.complaints]).toEqual([[], [], []])
    } finally {
      await Promise.all([cy, di, again].map(({ context }) => context.close()))
    }
  },
)

it.skipIf(skipped)(
  '[UI6] [UI2] [UI24] a passphrase is asked for again, and a wrong one is refused; a file dropped beside stays outside',
  async () => {
    const ana = await world.person({ viewport: PHONE })
    await ana.page.goto(world.relay.url)
    await ana.page.getByLabel('Protect the keys').check()
    await ana.page.getByLabel('Passphrase', { exact: true }).fill('correct horse')
    await ana.page.getByRole('button', { name: /^Start/ }).click()
    await ana.joined()
    await ana.page.reload()
    await ana.page.getByRole('heading', { name: 'Skein is locked' }).waitFor()
    expect(await ana.page.evaluate(staysWhenDropped)).toEqual([true, true])
    const found = [...(await faultsOf(ana, 'locked'))]
    await ana.page.getByLabel('Passphrase', { exact: true }).fill('correct horse')
    await ana.page.getByRole('button', { name: 'Unlock' }).click()
    await ana.joined()
    found.push(...(await faultsOf(ana, 'Chats without any')))
    expect(found).toEqual([])
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
  },
)

it.skipIf(skipped)(
  '[UI3] after one visit the page opens with every server down, shows what it has, and says that the relay does not answer',
  async () => {
    const people = await met()
    const { ana } = people
    await ana.at('/chats')
    await ana.page.getByRole('link', { name: /Bo/ }).click()
    await ana.write('to be read without anybody')
    await ana.sees('to be read without anybody', 'delivered')
    await ana.page.evaluate(() => navigator.serviceWorker.ready)
    // What is shown comes from what the visit has put away, not from what happens to be in the browser's cache.
    const devtools = await ana.context.newCDPSession(ana.page)
    await devtools.send('Network.clearBrowserCache')
    await world.relay.end()
    try {
      await expect(fetch(world.relay.url)).rejects.toThrow()
      await ana.page.close()
      const again = await ana.anotherTab()
      people.ana = again
      await again.page.locator('[data-tone="bad"]', { hasText: 'does not answer' }).waitFor()
      await again.page.getByRole('link', { name: /to be read without anybody/ }).click()
      await again.sees('to be read without anybody', 'delivered')
      for (const area of ['People', 'Files', 'Network', 'Settings']) {
        await again.area(area)
        await again.page.getByRole('heading', { name: area, exact: true }).waitFor()
      }
      expect(again.complaints).toEqual([])
    } finally {
      await world.relay.start()
    }
  },
)
