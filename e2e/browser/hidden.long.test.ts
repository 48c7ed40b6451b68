/** A page in the background, whose timers the browser slows down or stops: how long its contacts go on seeing it. */
import { expect, it } from 'vitest'
import { eventually, Lab } from '../processes.ts'
import { MISSING, findChromium } from './chromium.ts'
import { Pages } from './pages.ts'

const skipped = findChromium() === undefined && !process.env['CI']
if (skipped) process.stderr.write(`\nSKIPPED: a hidden page. ${MISSING}\n\n`)

/** Without a lease it would be gone by then, ms. */
const USUAL_MS = 60_000
/** The lease of a hidden page and what noticing takes, ms. */
const LEASE_MS = 180_000
const NOTICED_BY_MS = LEASE_MS + 15_000

it.skipIf(skipped)(
  '[PR11] a hidden page that stops is shown for its lease of three minutes, and no longer',
  { timeout: 400_000 },
  async () => {
    await using lab = await Promise.resolve(new Lab())
    const relay = await lab.relay()
    const bo = await lab.client('bo', [relay.url])
    await using pages = await Pages.open()
    const ana = await pages.tab(await pages.context(), { name: 'ana', relays: [relay.url] })
    await ana.call('add', { invite: String((await bo.run('invite')).json.invite) })
    await eventually('bo sees ana', () => bo.isOnline('ana'))
    await ana.page.evaluate(() => {
      Object.defineProperty(document, 'visibilityState', { value: 'hidden' })
      document.dispatchEvent(new Event('visibilitychange'))
    })
    // Whatever was sent before it on the same way has arrived with it.
    expect(await ana.send('bo', 'hidden now')).toMatchObject({ state: 'delivered' })
    const session = await ana.page.context().newCDPSession(ana.page)
    // Nothing runs in the page from here on, as where a browser freezes it.
    await session.send('Debugger.enable')
    await session.send('Debugger.pause')
    const start = Date.now()
    await eventually(
      'the usual silence has passed',
      async () => {
        expect(await bo.isOnline('ana')).toBe(true)
        return Date.now() - start > USUAL_MS
      },
      { within: 2 * USUAL_MS },
    )
    await eventually('ana is gone', async () => !(await bo.isOnline('ana')), { within: NOTICED_BY_MS })
    expect(Date.now() - start).toBeGreaterThan(LEASE_MS - 20_000)
  },
)
