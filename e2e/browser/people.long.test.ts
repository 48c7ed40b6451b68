/** What people do with each other in the interface beyond talking: meet nearby, sign, forget. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Lab } from '../processes.ts'
import { findChromium, MISSING } from './chromium.ts'
import { Interface } from './interface-pages.ts'

const skipped = findChromium() === undefined && !process.env['CI']
if (skipped) process.stderr.write(`\nSKIPPED: people in a browser. ${MISSING}\n\n`)

let world: Interface
beforeAll(async () => {
  if (!skipped) world = await Interface.open()
})
afterAll(() => world?.[Symbol.asyncDispose]())

it.skipIf(skipped)('[CT8] somebody nearby is asked for contact with a button, and says yes with another', async () => {
  const [ana, bo] = [await world.person(), await world.person()]
  for (const [person, name] of [
    [ana, 'Ana near'],
    [bo, 'Bo near'],
  ] as const) {
    await person.enter(name)
    await person.joined()
    await person.area('Settings')
    await person.page.getByLabel('Who sees that you are there').selectOption('everyone')
    await person.page.getByRole('button', { name: 'Save', exact: true }).first().click()
    await person.page.reload()
    await person.area('People')
  }
  await ana.page.getByRole('button', { name: 'Ask for contact: Bo near' }).click()
  await ana.page.getByRole('button', { name: 'Ask again: Bo near' }).waitFor()
  await bo.page.getByRole('button', { name: 'Accept' }).click()
  await ana.page.getByRole('link', { name: 'Write: Bo near' }).click()
  await ana.write('we met')
  await ana.sees('we met', 'delivered')
})

it.skipIf(skipped)('[MK12] a conversation is deleted after a question, in every tab, and the contact stays', async () => {
  const [ana, bo] = [await world.person(), await world.person()]
  await ana.enter('Ana')
  await ana.joined()
  await bo.enter('Bo', await ana.invite())
  await bo.write('to be forgotten')
  await bo.sees('to be forgotten', 'delivered')
  const second = await ana.anotherTab()
  await second.page.getByRole('link', { name: /to be forgotten/ }).click()
  await second.sees('to be forgotten')
  await ana.page.getByRole('link', { name: /to be forgotten/ }).click()
  await ana.page.getByTitle('Details of Bo').click()
  await ana.page.getByRole('button', { name: 'Delete this conversation' }).click()
  await ana.page.getByText('All messages with Bo are deleted').waitFor()
  await ana.page.getByRole('button', { name: 'Cancel' }).click()
  await ana.page.getByRole('button', { name: 'Delete this conversation' }).click()
  await ana.page.getByRole('button', { name: 'Delete', exact: true }).click()
  await second.page.locator('[data-direction]').first().waitFor({ state: 'detached' })
  await bo.sees('to be forgotten')
  await ana.page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click()
  await ana.page.getByRole('link', { name: 'Write: Bo' }).click()
  await ana.write('a new beginning')
  await bo.sees('a new beginning')
  expect(await ana.faults()).toEqual([])
})

it.skipIf(skipped)(
  '[DP2] [DP4] delivery proofs are allowed by both, saved and checked in the window; a changed one is refused',
  async () => {
    const [ana, bo] = [await world.person(), await world.person()]
    await ana.enter('Ana')
    await ana.joined()
    await bo.enter('Bo', await ana.invite())
    await bo.write('before')
    await ana.page.getByRole('link', { name: /before/ }).click()
    for (const [person, other] of [
      [bo, 'Ana'],
      [ana, 'Bo'],
    ] as const) {
      await person.page.getByTitle(`Details of ${other}`).click()
      await person.page.getByText('Whoever has a proof can show anybody').waitFor()
      await person.page.getByRole('switch', { name: 'Allow delivery proofs with this contact' }).click()
      await person.page.getByText(/^Your contact/).waitFor()
      await person.page.getByRole('dialog').getByRole('link', { name: 'Write' }).click()
    }
    await ana.page.getByTitle('Details of Bo').click()
    await ana.page.getByText('Your contact allows them too.').waitFor()
    await ana.page.getByRole('dialog').getByRole('link', { name: 'Write' }).click()
    await ana.write('signed for')
    await ana.sees('signed for', 'delivered')
    await using lab = await Promise.resolve(new Lab())
    const path = join(lab.path('proofs'), 'proof.json')
    await expect
      .poll(
        async () => {
          await ana.page.locator('[data-direction]', { hasText: 'signed for' }).getByRole('button').first().click()
          const saving = ana.page.waitForEvent('download', { timeout: 5_000 }).catch(() => undefined)
          await ana.page.getByRole('button', { name: 'Save a delivery proof' }).click()
          await (await saving)?.saveAs(path)
          if (!existsSync(path)) await ana.page.keyboard.press('Escape')
          return existsSync(path)
        },
        { timeout: 60_000 },
      )
      .toBe(true)
    await bo.area('Settings')
    const choose = bo.page.locator('input[type="file"][aria-label="Check a proof"]')
    await choose.setInputFiles(path)
    await bo.page.getByText('This proof is genuine.').waitFor()
    await bo.page.getByText('signed for').waitFor()
    const changed = readFileSync(path, 'utf8').replace('signed for', 'never said')
    await choose.setInputFiles({ name: 'changed.json', mimeType: 'application/json', buffer: Buffer.from(changed) })
    await bo.page.getByText('This is no delivery proof, or something').waitFor()
    expect([await bo.faults(), bo.complaints, ana.complaints]).toEqual([[], [], []])
  },
)

it.skipIf(skipped)('[UI20] mail that lies at a relay is said to, and for whom', async () => {
  const [ana, bo] = [await world.person(), await world.person()]
  await ana.enter('Ana')
  await ana.joined()
  await bo.enter('Bo', await ana.invite())
  await bo.write('first')
  await ana.page.getByRole('link', { name: /first/ }).click()
  await ana.write('second')
  await ana.sees('second', 'delivered')
  await bo.page.goto('about:blank')
  await ana.write('for when you are back')
  await ana.sees('for when you are back', 'carried')
  await ana.page.locator('[data-path="mailbox"]').waitFor()
  await ana.page.locator('[data-mail="ready"]', { hasText: '1 at a relay' }).click()
  const waiting = ana.page.locator('[data-outbox]', { hasText: 'for when you are back' })
  await waiting.getByText(`lies sealed at ${world.relay.url}`).waitFor()
  expect(await ana.faults()).toEqual([])
})
