/** What people do with each other in the interface beyond talking: meet nearby, sign, forget. */
import { afterAll, beforeAll, it } from 'vitest'
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
