/** A second browser becomes a device of the account, and is taken out. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { findChromium, MISSING } from './chromium.ts'
import { Interface, PHONE } from './interface-pages.ts'

const skipped = findChromium() === undefined && !process.env['CI']
if (skipped) process.stderr.write(`\nSKIPPED: devices in a browser. ${MISSING}\n\n`)

let world: Interface
beforeAll(async () => {
  if (!skipped) world = await Interface.open()
})
afterAll(() => world?.[Symbol.asyncDispose]())

it.skipIf(skipped)('[DV6] [DV7] [DV8] a browser joins by a link, both show the same digits, and it is taken out', async () => {
  const [bo, phone] = [await world.person(), await world.person({ viewport: PHONE })]
  for (const each of [bo, phone]) {
    await each.enter('Bo')
    await each.joined()
    await each.area('Settings')
  }
  await bo.page.getByRole('button', { name: 'Link a new device' }).click()
  const link = await bo.page.getByLabel('Link for the new device', { exact: true }).inputValue()
  await bo.page.getByRole('img', { name: 'QR code of the link for the new device' }).waitFor()
  await phone.page.getByRole('button', { name: 'Use this as another device' }).click()
  await phone.page.getByLabel('Link from the other device').fill(link)
  await phone.page.keyboard.press('Enter')
  const digits = async ({ page }: typeof bo): Promise<string | null> => {
    await page.locator('[data-code]').waitFor()
    return page.locator('[data-code]').getAttribute('data-code')
  }
  const [here, there] = [await digits(bo), await digits(phone)]
  expect([here, there]).toEqual([expect.stringMatching(/^\d{6}$/), here])
  expect([await bo.faults(), await phone.faults(), await phone.overflow()]).toEqual([[], [], 0])
  await bo.page.getByRole('button', { name: 'The same: let it in' }).click()
  await bo.page.getByText('The new device is linked.').waitFor()
  const account = await bo.page.locator('code').last().textContent()
  expect(account).not.toBeNull()
  const out = (person: typeof bo) => person.page.getByRole('button', { name: /^Take out/ })
  await Promise.all([out(bo).waitFor(), out(phone).waitFor()])
  expect(await bo.faults()).toEqual([])
  await out(bo).click()
  await bo.page.getByRole('button', { name: /for good$/ }).click()
  await phone.page.getByText('This device was taken out').first().waitFor()
  expect([bo.complaints, phone.complaints]).toEqual([[], []])
})
