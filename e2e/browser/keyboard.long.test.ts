/** The main path with the keyboard alone: no pointer is used on this page. */
import type { Locator } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { findChromium, MISSING } from './chromium.ts'
import { Interface, type Person } from './interface-pages.ts'

const skipped = findChromium() === undefined && !process.env['CI']
if (skipped) process.stderr.write(`\nSKIPPED: the interface by keyboard. ${MISSING}\n\n`)

let world: Interface
beforeAll(async () => {
  if (!skipped) world = await Interface.open()
})
afterAll(() => world?.[Symbol.asyncDispose]())

/** More stops than any screen of these has. */
const MOST_STOPS = 60

/** Goes on with the tabulator until something has the focus, and looks whether it can be seen that it has. */
async function reach({ page }: Person, wanted: Locator): Promise<void> {
  await wanted.waitFor()
  for (let stop = 0; stop < MOST_STOPS; stop += 1) {
    if (await wanted.evaluate((element) => element === document.activeElement)) {
      const style = await wanted.evaluate((element) => {
        const { opacity, outlineStyle, outlineWidth } = getComputedStyle(element)
        return { opacity: Number(opacity), outline: outlineStyle !== 'none' && Number.parseFloat(outlineWidth) > 0 }
      })
      expect(style).toEqual({ opacity: 1, outline: true })
      return
    }
    await page.keyboard.press('Tab')
  }
  throw new Error(`the tabulator does not lead to ${wanted}`)
}

async function press(person: Person, wanted: Locator): Promise<void> {
  await reach(person, wanted)
  await person.page.keyboard.press('Enter')
}

it.skipIf(skipped)('[UI17] people join, write, answer, search and set things with the keyboard alone', async () => {
  const bo = await world.person()
  await bo.enter('Bo')
  await bo.joined()
  const ana = await world.person()
  const { page } = ana
  await page.goto(await bo.invite())
  await reach(ana, page.getByLabel('What others see as your name'))
  await page.keyboard.type('Ana')
  await page.keyboard.press('Enter')
  await reach(ana, page.getByLabel('Write a message'))
  await page.keyboard.type('typed by hand')
  await page.keyboard.press('Enter')
  await ana.sees('typed by hand', 'delivered')

  await bo.page.getByRole('link', { name: /typed by hand/ }).click()
  await bo.write('a question?')
  await ana.sees('a question?')
  const row = page.locator('[data-direction]', { hasText: 'a question?' })
  await press(ana, row.getByRole('button', { name: 'Actions for this message' }))
  await press(ana, page.getByRole('button', { name: 'Reply', exact: true }))
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await reach(ana, page.getByLabel('Write a message'))
  await page.keyboard.type('an answer')
  await page.keyboard.press('Enter')
  await ana.sees('an answer', 'delivered')
  await bo.sees('an answer')

  await press(ana, page.getByRole('link', { name: 'Settings', exact: true }))
  const theme = page.getByLabel('Theme')
  await reach(ana, theme)
  await page.keyboard.press('End')
  expect(await theme.inputValue()).toBe('dark')
  await page.keyboard.press('Alt+1')
  await press(ana, page.getByRole('button', { name: 'Search messages' }))
  await page.getByRole('dialog').waitFor()
  await page.keyboard.type('quest')
  await press(ana, page.getByRole('dialog').getByRole('link', { name: /a question/ }))
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await ana.sees('a question?')
  await page.keyboard.press('Alt+2')
  await page.getByRole('heading', { name: 'People', exact: true }).waitFor()
  await page.keyboard.press('Alt+1')
  await press(ana, page.getByRole('link', { name: /an answer/ }))
  await reach(ana, page.getByLabel('Write a message'))
})
