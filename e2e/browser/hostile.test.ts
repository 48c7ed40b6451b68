/** What people, browsers and clocks do to the interface: it stays whole, and says what is the matter. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { findChromium, MISSING } from './chromium.ts'
import { inWorker, Interface, once, OUT } from './interface-pages.ts'
import { servePages } from './test-server.ts'

const skipped = findChromium() === undefined && !process.env['CI']
if (skipped) process.stderr.write(`\nSKIPPED: the interface under bad conditions. ${MISSING}\n\n`)

let world: Interface
beforeAll(async () => {
  if (!skipped) world = await Interface.open()
})
afterAll(() => world?.[Symbol.asyncDispose]())

/** Whoever invites the others. */
const inviter = once(async () => {
  const ana = await world.person()
  await ana.enter('Ana')
  await ana.joined()
  return ana
})

it.skipIf(skipped)(
  '[UI10] an identity that the browser has deleted is said to be gone, and its backup asked for, before there is another',
  async () => {
    const ana = await world.person()
    await ana.enter('Ana')
    await ana.joined()
    // Another page of the origin, where nothing holds the storage.
    await ana.page.goto(`${world.relay.url}/404.html`)
    await ana.page.evaluate(async () => {
      for (const { name = '' } of await indexedDB.databases()) indexedDB.deleteDatabase(name)
      const root = await navigator.storage.getDirectory()
      await root.removeEntry('skein-skein', { recursive: true })
    })
    for (let load = 0; load < 2; load += 1) {
      await ana.page.goto(world.relay.url)
      await ana.page.getByText('The browser has deleted what Skein kept here').waitFor()
      await ana.page.getByRole('button', { name: 'Restore a backup' }).waitFor()
    }
    expect(await ana.page.evaluate(async () => (await indexedDB.databases()).length)).toBeLessThan(2)
    expect(await ana.faults()).toEqual([])
    await ana.enter('Ana anew')
    await ana.joined()
  },
)

it.skipIf(skipped)('[UI10] files that cannot be opened for a moment are opened later, and not deleted', async () => {
  // Scripts that it has kept could not be replaced.
  const ana = await world.person({ serviceWorkers: 'block' })
  await ana.enter('Ana')
  await ana.joined()
  const account = (): Promise<string | null> => ana.page.evaluate(() => localStorage.getItem('skein.account'))
  const before = await account()
  const once = `{ let isOver = false
    const { createSyncAccessHandle } = FileSystemFileHandle.prototype
    FileSystemFileHandle.prototype.createSyncAccessHandle = function (...args) {
      // SQLite looks first, with a file of its own, whether there are such handles.
      if (isOver || this.name.startsWith('.opfs')) return createSyncAccessHandle.apply(this, args)
      isOver = true
      return Promise.reject(new DOMException('not now', 'InvalidStateError'))
    } }`
  const body = `${once}\n${readFileSync(`${OUT}/store-worker.js`, 'utf8')}`
  let isServed = false
  await ana.context.route(
    '**/store-worker.js',
    (route) => {
      isServed = true
      return route.fulfill({ contentType: 'text/javascript', body })
    },
    { times: 1 },
  )
  await ana.page.reload()
  await ana.joined()
  expect([isServed, await account()]).toEqual([true, before])
})

it.skipIf(skipped)('[UI10] storage that is cleared while the page is open is said at once, and the page offers to begin anew', async () => {
  const [ana, bo] = [await inviter(), await world.person()]
  await bo.enter('Bo', await ana.invite())
  await bo.write('before')
  await bo.sees('before', 'delivered')
  const devtools = await bo.context.newCDPSession(bo.page)
  await devtools.send('Storage.clearDataForOrigin', { origin: world.relay.url, storageTypes: 'file_systems' })
  await bo.write('after')
  await bo.page.getByText('What this browser had stored is deleted or damaged').first().waitFor()
  await bo.page.locator('[data-tone="bad"]').waitFor()
  expect(await bo.page.locator('[data-direction]', { hasText: 'after' }).count()).toBe(0)
  // The key is still there: no empty database takes the place of the one that it opened.
  await bo.page.reload()
  await bo.page.getByText('What this browser had stored is deleted or damaged').first().waitFor()
  await bo.page.getByRole('button', { name: 'Begin anew…' }).click()
  await bo.page.getByRole('button', { name: 'Delete and begin anew' }).click()
  await bo.page.getByRole('button', { name: 'Restore a backup' }).waitFor()
})

it.skipIf(skipped)('[UI11] storage that is full refuses what cannot be kept, says so, and keeps what was there', async () => {
  const [ana, bo] = [await inviter(), await world.person()]
  const full = `{ let full = false
    addEventListener('message', ({ data }) => { if (data === 'full') full = true })
    const { write } = FileSystemSyncAccessHandle.prototype
    FileSystemSyncAccessHandle.prototype.write = function (...args) {
      if (full) throw new DOMException('no room', 'QuotaExceededError')
      return write.apply(this, args)
    } }`
  await inWorker(bo, full)
  await bo.page.addInitScript(() => {
    const Real = globalThis.Worker
    globalThis.Worker = class extends Real {
      constructor(...args: ConstructorParameters<typeof Worker>) {
        super(...args)
        Object.assign(globalThis, { storeWorker: this })
      }
    }
  })
  await bo.enter('Bo', await ana.invite())
  await bo.write('while there was room')
  await bo.sees('while there was room', 'delivered')
  await bo.page.evaluate(() => (globalThis as unknown as { storeWorker: Worker }).storeWorker.postMessage('full'))
  await bo.write('one too many')
  await bo.page.getByText('There is no room left to store this').waitFor()
  expect(await bo.page.getByLabel('Write a message').inputValue()).toBe('one too many')
  await bo.page.reload()
  await bo.sees('while there was room')
  expect(await bo.page.locator('[data-direction]', { hasText: 'one too many' }).count()).toBe(0)
})

it.skipIf(skipped)('[UI3] a part that cannot be loaded is said to be missing, and comes when the server is back', async () => {
  const ana = await world.person({ serviceWorkers: 'block' })
  await ana.enter('Ana')
  await ana.joined()
  await ana.context.route('**/*.js', (route) => route.abort())
  await ana.area('Settings')
  await ana.page.getByText('A part of Skein could not be loaded').waitFor()
  await ana.context.unroute('**/*.js')
  await ana.page.getByRole('button', { name: 'Try again' }).click()
  await ana.page.getByRole('heading', { name: 'Settings' }).waitFor()
  // A newer version has other names for its parts: those of this one are gone for good.
  await ana.context.route('**/*.js', (route) => route.fulfill({ status: 404 }))
  await ana.area('Network')
  await ana.page.getByRole('button', { name: 'Load the page anew' }).waitFor()
  await ana.context.unroute('**/*.js')
  await ana.page.getByRole('button', { name: 'Load the page anew' }).click()
  await ana.page.getByRole('heading', { name: 'Network' }).waitFor()
})

it.skipIf(skipped)('[UI14] a page of another origin cannot put the interface into a frame', async () => {
  const frames = ['', '/relay.json'].map((path) => `<iframe src="${world.relay.url}${path}"></iframe>`)
  const body = new TextEncoder().encode(`<!doctype html>${frames.join('')}`)
  await using other = await servePages({ '/': { type: 'text/html', body } }, '')
  const page = await world.browser.newPage()
  await page.goto(`http://127.0.0.1:${other.port}/`)
  const [, shown, open] = page.frames()
  expect(shown?.url()).toBe('chrome-error://chromewebdata/')
  // What is for everybody may be framed: it was not something else that kept the interface out.
  expect(open?.url()).toBe(`${world.relay.url}/relay.json`)
  await page.close()
})
