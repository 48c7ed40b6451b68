/** What browsers and clocks do to the interface beyond hostile.test.ts: it stays whole, and says what is the matter. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { findChromium, MISSING } from './chromium.ts'
import { inWorker, Interface } from './interface-pages.ts'

const skipped = findChromium() === undefined && !process.env['CI']
if (skipped) process.stderr.write(`\nSKIPPED: the interface under bad conditions. ${MISSING}\n\n`)

let world: Interface
beforeAll(async () => {
  if (!skipped) world = await Interface.open()
})
afterAll(() => world?.[Symbol.asyncDispose]())

it.skipIf(skipped)('[UI10] a key that is gone is said, and the page offers to begin anew', async () => {
  const ana = await world.person()
  await ana.enter('Ana')
  await ana.joined()
  await ana.page.goto(`${world.relay.url}/404.html`)
  await ana.page.evaluate(async () => {
    for (const { name = '' } of await indexedDB.databases()) indexedDB.deleteDatabase(name)
  })
  await ana.page.goto(world.relay.url)
  await ana.page.getByText('The browser has deleted what Skein kept here').waitFor()
  // The files of who was here are still there, and cannot be read.
  await ana.enter('Ana')
  await ana.page.getByRole('button', { name: 'Begin anew…' }).click()
  await ana.page.getByRole('button', { name: 'Delete and begin anew' }).click()
  await ana.page.getByRole('button', { name: 'Restore a backup' }).waitFor()
  await ana.enter('Ana again')
  await ana.joined()
  expect(await ana.page.getByText('deleted or damaged').count()).toBe(0)
})

it.skipIf(skipped)(
  '[UI10] whoever begins anew in one tab does so in all, whichever leads, and nobody is made before a name is given',
  async () => {
    const ana = await world.person()
    await ana.enter('Ana')
    await ana.joined()
    let follower = await ana.anotherTab()
    for (const which of ['follower', 'leader']) {
      await follower.joined()
      const [own, other] = which === 'follower' ? [follower, ana] : [ana, follower]
      const before = await ana.page.evaluate(() => localStorage.getItem('skein.account'))
      await own.at('/settings')
      await own.page.getByRole('button', { name: 'Begin anew…' }).click()
      await own.page.getByRole('button', { name: 'Delete and begin anew' }).click()
      for (const each of [own, other]) {
        await each.page.getByRole('button', { name: 'Restore a backup' }).waitFor()
        expect(await each.page.getByText('The browser has deleted').count()).toBe(0)
      }
      expect(await ana.page.evaluate(() => localStorage.getItem('skein.account'))).toBeNull()
      const left = await ana.page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name))
      expect(left).not.toContain('skein-skein-files')
      await ana.enter(`Ana after ${which}`)
      await ana.joined()
      expect(await ana.page.evaluate(() => localStorage.getItem('skein.account'))).not.toBe(before)
      await follower.page.close()
      follower = await ana.anotherTab()
    }
  },
)

it.skipIf(skipped)('[UI12] a private window without private files works, and one without any storage says that it cannot', async () => {
  const [ana, bo, cleo] = [await world.person(), await world.person(), await world.person()]
  await ana.enter('Ana')
  await ana.joined()
  await inWorker(bo, `StorageManager.prototype.getDirectory = async () => { throw new DOMException('private window', 'SecurityError') }`)
  await bo.enter('Bo', await ana.invite())
  await bo.write('from a private window')
  await bo.sees('from a private window', 'delivered')
  await bo.page.reload()
  await bo.sees('from a private window')
  await bo.at('/settings')
  await bo.page.getByText('a private window keeps nothing once it is closed').waitFor()
  await cleo.page.addInitScript(`indexedDB.open = () => { throw new DOMException('denied', 'SecurityError') }`)
  await cleo.enter('Cleo')
  await cleo.page.getByText('Skein cannot start in this browser').waitFor()
})

it.skipIf(skipped)('[UI13] a clock that is wrong is said, and messages go all the same', async () => {
  const [ana, bo] = [await world.person(), await world.person()]
  await ana.enter('Ana')
  await ana.joined()
  await bo.page.addInitScript(() => {
    const { now } = Date
    Date.now = () => now() - 3_600_000
  })
  await bo.enter('Bo', await ana.invite())
  await bo.page.getByText('The clock of this device is 60 minutes behind').waitFor()
  await bo.write('an hour ago')
  await bo.sees('an hour ago', 'delivered')
})
