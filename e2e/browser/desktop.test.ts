/** The window of the desktop program, which is a page with its client behind it, beside the command line and beside a browser. */
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { eventually } from '../processes.ts'
import { findChromium, MISSING } from './chromium.ts'
import { Desktop } from './desktop-process.ts'
import { DOT } from './file-pages.ts'
import { Interface } from './interface-pages.ts'

/** A page that is left with its relay. */
const withoutWebRtc = (): void => void delete (globalThis as Partial<typeof globalThis>).RTCPeerConnection

const skipped = findChromium() === undefined && !process.env['CI']
if (skipped) process.stderr.write(`\nSKIPPED: the window of the desktop program. ${MISSING}\n\n`)

it.skipIf(skipped)(
  '[DW7] [DW26] [UI33] [BN9] the window shows what its client has, talks with the command line and a browser, has what it is sent where its user says, goes on with what the relay passes on when that was killed, and has its history when it is opened again',
  async () => {
    await using world = await Interface.open()
    const cli = await world.lab.client('cli', [world.relay.url])
    const dataDir = world.lab.path('window')
    const first = await Desktop.start(dataDir, world.relay.url)
    const ana = await world.person()
    await ana.page.goto(first.url)
    await ana.joined()
    // A copy of the link is worth nothing.
    const stranger = await world.browser.newContext()
    expect((await stranger.request.get(first.url)).status()).toBe(401)
    await stranger.close()
    expect((await cli.run('add', await ana.invite())).code).toBe(0)
    expect(await cli.run('send', 'Ana', '--wait', 'delivered', '--', 'to the window')).toMatchObject({ code: 0 })
    await ana.page.getByRole('link', { name: /to the window/ }).click()
    await ana.write('from the window')
    await eventually('it arrives', async () => (await cli.history('Ana')).some(({ text }) => text === 'from the window'))
    const picture = world.lab.path('dot.png')
    writeFileSync(picture, Buffer.from(DOT, 'base64'))
    expect((await cli.run('send-file', 'Ana', picture)).code).toBe(0)
    await ana.page.getByLabel('Into the folder').fill(world.lab.path('chosen'))
    await ana.page.getByRole('button', { name: 'Accept', exact: true }).click()
    await ana.page.getByRole('img', { name: 'Image dot.png' }).waitFor()
    expect(readFileSync(world.lab.path('chosen/dot.png'), 'base64')).toBe(DOT)
    const bo = await world.person()
    await bo.page.addInitScript(withoutWebRtc)
    await bo.enter('Bo', await ana.invite())
    await bo.write('from a browser')
    await bo.sees('from a browser', 'delivered')
    await ana.page.getByRole('link', { name: /from a browser/ }).click()
    await ana.write('to the browser')
    await ana.sees('to the browser', 'delivered')
    await bo.sees('to the browser')
    await bo.at('/chats')
    expect((await cli.run('add', await bo.invite())).code).toBe(0)
    expect(await cli.run('send', 'Bo', '--wait', 'delivered', '--', 'to a page')).toMatchObject({ code: 0 })
    await bo.page.getByRole('link', { name: /to a page/ }).click()
    await bo.page.locator('[data-path="relayed"]').waitFor()
    await world.relay.end('SIGKILL')
    for (const { page } of [ana, bo]) await page.locator('[data-tone="bad"]').waitFor()
    await bo.write('while it is away')
    await ana.write('nobody hears')
    await world.relay.start()
    await bo.sees('while it is away', 'delivered')
    await ana.sees('nobody hears', 'delivered')
    expect(await cli.run('send', 'Bo', '--wait', 'delivered', '--', 'it is back')).toMatchObject({ code: 0 })
    await bo.page.locator('[data-path="relayed"]').waitFor()
    expect((await cli.history('Bo')).map(({ text }) => text)).toEqual(['to a page', 'while it is away', 'it is back'])
    expect(await bo.page.locator('[data-direction]').count()).toBe(3)
    await bo.page.getByRole('link', { name: /nobody hears/ }).click()
    await bo.sees('nobody hears')
    expect(await bo.page.locator('[data-direction]').count()).toBe(3)
    expect(await first.end()).toBe(0)
    await using second = await Desktop.start(dataDir, world.relay.url)
    await ana.page.goto(second.url)
    await ana.page.getByRole('link', { name: /nobody hears/ }).click()
    await ana.sees('from a browser')
    await bo.write('still there?')
    await ana.sees('still there?')
  },
)
