/** Large files between browsers and the command line, and from the window of the desktop program. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { acceptAll, randomFile, sha256Of } from '../transfers.ts'
import { eventually, Lab } from '../processes.ts'
import { findChromium, MISSING } from './chromium.ts'
import { Desktop } from './desktop-process.ts'
import { FilePerson, met } from './file-pages.ts'
import { Interface } from './interface-pages.ts'

const WITHIN_MS = 900_000
const BYTES = 200_000_000
const skipped = findChromium() === undefined && !process.env['CI']
if (skipped) process.stderr.write(`\nSKIPPED: large files in a browser. ${MISSING}\n\n`)

let world: Interface
beforeAll(async () => {
  if (!skipped) world = await Interface.open()
})
afterAll(() => world?.[Symbol.asyncDispose]())

it.skipIf(skipped)(
  '[FI31] [FI32] 200 MB from browser to browser, both pages opened anew in the middle',
  async () => {
    const [ana, bo] = await met(world)
    const path = world.lab.path('large.bin')
    const sha256 = randomFile(path, BYTES)
    await ana.choosePath(path)
    await bo.area('Files')
    await bo.press('Accept')
    await bo.moved(BYTES / 4)
    await bo.page.reload()
    await bo.area('Files')
    await bo.moved(BYTES / 2)
    await ana.page.reload()
    expect(await sha256Of(await bo.saved(WITHIN_MS))).toBe(sha256)
    expect([ana.complaints, bo.complaints]).toEqual([[], []])
  },
  WITHIN_MS,
)

it.skipIf(skipped)(
  '[FI31] [FI32] 200 MB from the command line to a browser, and back, the page opened anew in the middle',
  async () => {
    await using lab = await Promise.resolve(new Lab())
    const ana = await FilePerson.open(world)
    await ana.enter('Ana')
    await ana.joined()
    const cli = await lab.client('large', [world.relay.url])
    expect((await cli.run('add', await ana.invite())).code).toBe(0)
    const path = lab.path('from-cli.bin')
    const sha256 = randomFile(path, BYTES)
    expect((await cli.run('send-file', 'Ana', path)).code).toBe(0)
    await ana.page.getByRole('link', { name: /from-cli\.bin/ }).click()
    await ana.press('Accept')
    await ana.moved(BYTES / 4)
    await ana.page.reload()
    expect(await sha256Of(await ana.saved(WITHIN_MS))).toBe(sha256)
    await acceptAll(cli, { name: 'Ana' }, lab.path('back'))
    const back = lab.path('back.bin')
    const other = randomFile(back, BYTES)
    await ana.choosePath(back)
    await ana.moved(BYTES / 4)
    await ana.page.reload()
    await ana.page.locator('[data-transfer-state="done"]', { hasText: 'back.bin' }).waitFor({ timeout: WITHIN_MS })
    expect(await sha256Of(lab.path('back/back.bin'))).toBe(other)
  },
  WITHIN_MS,
)

it.skipIf(skipped)(
  '[FI33] the window of the desktop program hands files to its client, which sends them',
  async () => {
    await using lab = await Promise.resolve(new Lab())
    const cli = await lab.client('beside', [world.relay.url])
    await using desktop = await Desktop.start(lab.path('window'), world.relay.url)
    const { context, page } = await world.person()
    const ana = new FilePerson(context, page, desktop.url)
    await page.goto(desktop.url)
    await ana.joined()
    expect((await cli.run('add', await ana.invite())).code).toBe(0)
    await cli.run('send', 'Ana', '--wait', 'delivered', '--', 'hello')
    await page.getByRole('link', { name: /hello/ }).click()
    await acceptAll(cli, { name: 'Ana' }, lab.path('beside-in'))
    const bytes = Buffer.alloc(5_000_000, 'window')
    await ana.choose('window.bin', bytes)
    await page.locator('[data-transfer-state="done"]').waitFor()
    await eventually('it is there', () => readFileSync(lab.path('beside-in/window.bin')).equals(bytes))
  },
  WITHIN_MS,
)
