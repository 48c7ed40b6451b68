/** What people do with messages that are there, in the window. */
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { findChromium, MISSING } from './chromium.ts'
import { Interface, type Person, PHONE } from './interface-pages.ts'

const skipped = findChromium() === undefined && !process.env['CI']
if (skipped) process.stderr.write(`\nSKIPPED: conversations in a browser. ${MISSING}\n\n`)

let world: Interface
beforeAll(async () => {
  if (!skipped) world = await Interface.open()
})
afterAll(() => world?.[Symbol.asyncDispose]())

async function act(person: Person, text: string, action: string): Promise<void> {
  const row = person.page.locator('[data-direction]', { hasText: text }).first()
  await row.hover()
  await row.getByRole('button', { name: 'Actions for this message' }).click()
  await person.page.getByRole('dialog').getByRole('button', { name: action, exact: true }).click()
  await person.page.getByRole('dialog').waitFor({ state: 'detached' })
}

/** It is told once in a while and kept nowhere: whoever writes on is seen to do so in the end. */
async function seesTyping(writer: Person, reader: Person): Promise<void> {
  for (let tries = 0; tries < 10; tries += 1) {
    await writer.page.getByLabel('Write a message').pressSequentially('t')
    const seen = reader.page.getByText('Writing…').waitFor({ timeout: 4_000 })
    if (
      await seen.then(
        () => true,
        () => false,
      )
    )
      return
  }
  throw new Error('nobody saw that somebody was writing')
}

it.skipIf(skipped)(
  '[UI9] people answer, react, edit, take back, search, let messages disappear, save a backup and restore it in another browser',
  async () => {
    const [ana, bo] = [await world.person(), await world.person({ viewport: PHONE })]
    await ana.enter('Ana')
    await ana.joined()
    await bo.enter('Bo', await ana.invite())
    await bo.page.getByLabel('Write a message').waitFor()
    await bo.write('helo from Bo')
    await bo.write('a secret')
    await bo.sees('a secret', 'delivered')
    await ana.page.getByRole('link', { name: /a secret/ }).click()
    await ana.sees('helo from Bo')

    await act(ana, 'helo from Bo', '👍')
    await bo.page.locator('[data-reactions]', { hasText: '👍' }).waitFor()
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
    expect(await ana.faults()).toEqual([])
    await ana.page.keyboard.press('Escape')
    // Whoever closes a dialog is where it was opened.
    expect(await ana.page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Search messages')
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
    await ana.page.getByRole('heading', { name: 'Bo' }).click()
    await ana.page.getByLabel('Messages disappear after reading').selectOption({ label: '30 seconds' })
    await bo.page.getByText(/Messages disappear 30 seconds after reading/).waitFor()
    expect(await ana.faults()).toEqual([])
    await ana.page.getByRole('dialog').getByRole('button', { name: 'Close' }).first().click()

    await ana.area('Settings')
    await ana.page.getByLabel('Passphrase of the backup').fill('correct horse')
    const saved = ana.page.waitForEvent('download')
    await ana.page.getByRole('button', { name: 'Save a backup' }).click()
    const file = await (await saved).path()
    expect(await readFile(file, 'latin1')).toMatch(/^age-encryption\.org\/v1\n/)

    const again = await world.person()
    await again.page.goto(world.relay.url)
    await again.page.getByRole('button', { name: 'Restore a backup' }).click()
    await again.page.getByLabel('File of the backup').setInputFiles(file)
    expect(await again.faults()).toEqual([])
    await again.page.getByLabel('Passphrase of the backup').fill('wrong horse')
    await again.page.getByRole('button', { name: 'Restore', exact: true }).click()
    await again.page.getByText(/The passphrase does not open this file/).waitFor()
    await again.page.getByLabel('Passphrase of the backup').fill('correct horse')
    await again.page.getByLabel('What others see as your name').fill('Ana')
    await again.page.getByRole('button', { name: 'Restore', exact: true }).click()
    await again.page.getByRole('link', { name: /Bo/ }).click()
    await again.sees('and from Ana')
    expect(await again.page.locator('[data-state="failed"]').count()).toBe(0)
    await again.joined()
    await again.write('from my new browser')
    await bo.sees('from my new browser')
    expect([ana.complaints, bo.complaints, again.complaints]).toEqual([[], [], []])
  },
)
