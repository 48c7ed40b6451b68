/** A second browser becomes a device of the account, and is taken out. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Lab } from '../processes.ts'
import { findChromium, MISSING } from './chromium.ts'
import { Desktop } from './desktop-process.ts'
import { Interface, type Person, PHONE } from './interface-pages.ts'

const skipped = findChromium() === undefined && !process.env['CI']
if (skipped) process.stderr.write(`\nSKIPPED: devices in a browser. ${MISSING}\n\n`)

let world: Interface
beforeAll(async () => {
  if (!skipped) world = await Interface.open()
})
afterAll(() => world?.[Symbol.asyncDispose]())

const digits = async ({ page }: Person): Promise<string | null> => {
  await page.locator('[data-code]').waitFor()
  return page.locator('[data-code]').getAttribute('data-code')
}

const account = async ({ page }: Person): Promise<string | null> => page.locator('code').last().textContent()

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
  const [here, there] = [await digits(bo), await digits(phone)]
  expect([here, there]).toEqual([expect.stringMatching(/^\d{6}$/), here])
  expect([await bo.faults(), await phone.faults(), await phone.overflow()]).toEqual([[], [], 0])
  await bo.page.getByRole('button', { name: 'The same: let it in' }).click()
  await bo.page.getByText('The new device is linked.').waitFor()
  expect(await account(bo)).not.toBeNull()
  const out = (person: typeof bo) => person.page.getByRole('button', { name: /^Take out/ })
  await Promise.all([out(bo).waitFor(), out(phone).waitFor()])
  expect(await bo.faults()).toEqual([])
  await out(bo).click()
  await bo.page.getByRole('button', { name: /for good$/ }).click()
  await phone.page.getByText('This device was taken out').first().waitFor()
  expect([bo.complaints, phone.complaints]).toEqual([[], []])
})

it.skipIf(skipped)(
  '[DV7] [DW16] a page that is opened by the link joins once its user says so; the window of the desktop stays and shows the account',
  async () => {
    const [bo, phone] = [await world.person(), await world.person({ viewport: PHONE })]
    await bo.enter('Bo')
    await bo.joined()
    await bo.area('Settings')
    const offer = async (): Promise<string> => {
      await bo.page.getByRole('button', { name: 'Link a new device' }).click()
      return bo.page.getByLabel('Link for the new device', { exact: true }).inputValue()
    }
    const letIn = async (fresh: Person): Promise<void> => {
      expect(await digits(fresh)).toBe(await digits(bo))
      await bo.page.getByRole('button', { name: 'The same: let it in' }).click()
      await bo.page.getByText('The new device is linked.').waitFor()
    }
    const link = await offer()
    await phone.enter('', link)
    await phone.page.getByRole('heading', { name: 'Use this as another device' }).waitFor()
    expect([await phone.page.locator('[data-code]').count(), await phone.faults(), await phone.overflow()]).toEqual([0, [], 0])
    expect(await phone.page.getByLabel('Link from the other device').inputValue()).toBe(link)
    await phone.page.getByRole('button', { name: 'Join', exact: true }).click()
    await letIn(phone)
    await phone.page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click()
    expect(phone.page.url()).not.toContain(new URL(link).hash)

    await using lab = await Promise.resolve(new Lab())
    await using desktop = await Desktop.start(lab.path('joining'), world.relay.url)
    const window = await world.person()
    await window.page.goto(desktop.url)
    await window.joined()
    await window.area('Settings')
    await window.page.getByRole('button', { name: 'Use this as another device' }).click()
    await window.page.getByLabel('Link from the other device').fill(await offer())
    await window.page.getByText('QR code from an image').waitFor()
    await window.page.getByRole('button', { name: 'Join', exact: true }).click()
    await letIn(window)
    await window.page
      .getByRole('button', { name: /^Take out/ })
      .first()
      .waitFor()
    await window.joined()
    const accountOf = ({ page }: Person): Promise<string | null> =>
      page.locator('section', { hasText: 'Your account' }).locator('code').first().textContent()
    expect(await accountOf(window)).toBe(await accountOf(bo))
    expect(await desktop.end()).toBe(0)
  },
)
