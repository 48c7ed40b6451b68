/** The window of the desktop program, which is a page with its client behind it, beside the command line and beside a browser. */
import { expect, it } from 'vitest'
import { eventually, Lab } from '../processes.ts'
import { findChromium, launchChromium, MISSING } from './chromium.ts'
import { Desktop } from './desktop-process.ts'
import { Interface, Person } from './interface-pages.ts'

const skipped = findChromium() === undefined && !process.env['CI']
if (skipped) process.stderr.write(`\nSKIPPED: the window of the desktop program. ${MISSING}\n\n`)

it.skipIf(skipped)('[DW7] the window shows what its client has, and talks with the command line', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  const cli = await lab.client('cli', [relay.url])
  await using desktop = await Desktop.start(lab.path('window'), relay.url)
  await using browser = await launchChromium([])
  const context = await browser.newContext({ locale: 'en-GB' })
  const ana = new Person(context, await context.newPage(), desktop.url)
  await ana.page.goto(desktop.url)
  await ana.joined()
  expect((await cli.run('add', await ana.invite())).code).toBe(0)
  expect(await cli.run('send', 'Ana', '--wait', 'delivered', '--', 'to the window')).toMatchObject({ code: 0 })
  await ana.page.getByRole('link', { name: /to the window/ }).click()
  await ana.write('from the window')
  await eventually('it arrives', async () => (await cli.history('Ana')).some(({ text }) => text === 'from the window'))
  // A copy of the link is worth nothing.
  expect((await (await browser.newContext()).request.get(desktop.url)).status()).toBe(401)
  expect(await desktop.end()).toBe(0)
})

it.skipIf(skipped)(
  '[DW7] the window talks with a browser that its invite was opened in, and has its history when it is opened again',
  async () => {
    await using world = await Interface.open()
    const dataDir = world.lab.path('window')
    const first = await Desktop.start(dataDir, world.relay.url)
    const ana = await world.person()
    await ana.page.goto(first.url)
    await ana.joined()
    const bo = await world.person()
    await bo.enter('Bo', await ana.invite())
    await bo.write('from a browser')
    await bo.sees('from a browser', 'delivered')
    await ana.page.getByRole('link', { name: /from a browser/ }).click()
    await ana.write('from the window')
    await ana.sees('from the window', 'delivered')
    await bo.sees('from the window')
    expect(await first.end()).toBe(0)
    await using second = await Desktop.start(dataDir, world.relay.url)
    await ana.page.goto(second.url)
    await ana.page.getByRole('link', { name: /from the window/ }).click()
    await ana.sees('from a browser')
    await bo.write('still there?')
    await ana.sees('still there?')
  },
)
