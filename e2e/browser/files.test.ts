/** Files between browsers, and between a browser and the command line, as people send and save them. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Lab } from '../processes.ts'
import { acceptAll } from '../transfers.ts'
import { findChromium, MISSING } from './chromium.ts'
import { DOT, FilePerson, met } from './file-pages.ts'
import { Interface, PHONE } from './interface-pages.ts'

const skipped = findChromium() === undefined && !process.env['CI']
if (skipped) process.stderr.write(`\nSKIPPED: files in a browser. ${MISSING}\n\n`)

let world: Interface
beforeAll(async () => {
  if (!skipped) world = await Interface.open()
})
afterAll(() => world?.[Symbol.asyncDispose]())

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

it.skipIf(skipped)('[FI31] [FI32] [UI32] from browser to browser, with a reload of the receiving page in the middle', async () => {
  const [ana, bo] = await met(world)
  const bytes = randomBytes(2_000_000)
  await ana.choose('holiday ü.bin', bytes)
  await bo.page.getByText('holiday ü.bin').first().waitFor()
  await ana.area('Files')
  await ana.cap('250 kB per second')
  await bo.area('Files')
  await bo.press('Accept')
  await bo.moved(500_000)
  await bo.page.reload()
  await bo.area('Files')
  // What had come is not fetched again.
  expect(await bo.moved(500_000)).toBeLessThan(bytes.length)
  await ana.cap('As fast as possible')
  expect(sha256(await bo.save())).toBe(sha256(bytes))
  await ana.page.locator('[data-transfer-state="done"]').waitFor()
  expect(await bo.faults()).toEqual([])
  await bo.page.setViewportSize(PHONE)
  expect(await bo.overflow()).toBe(0)
  // From now on small ones come by themselves.
  await bo.page.getByLabel('From whom').selectOption({ label: 'Ana' })
  await bo.page.getByLabel('How much at once').selectOption({ label: 'Up to 1 MB' })
  await ana.area('Chats')
  await ana.page.getByRole('link', { name: /holiday/ }).click()
  await ana.choose('unasked.bin', randomBytes(50_000))
  await bo.page.locator('[data-transfer-state="done"]', { hasText: 'unasked.bin' }).waitFor()
  await bo.page.getByLabel('How much at once').selectOption({ label: 'Nothing: always ask' })
  // A picture that is dropped on a conversation is seen there once it was accepted.
  await ana.drop('dot.png', DOT)
  await bo.area('Chats')
  await bo.page.getByRole('link', { name: /dot\.png/ }).click()
  // What it looks like is seen before.
  await bo.page.getByRole('img', { name: 'Preview of dot.png' }).waitFor()
  await ana.page.getByRole('img', { name: 'Preview of dot.png' }).waitFor()
  await bo.press('Accept')
  await bo.page.getByRole('img', { name: 'Image dot.png' }).waitFor()
  expect(await bo.overflow()).toBe(0)
  await ana.paste('Bo', 'pasted.txt')
  expect(await bo.faults()).toEqual([])
  expect([ana.complaints, bo.complaints]).toEqual([[], []])
})

it.skipIf(skipped)(
  '[FI31] [FI51] [FI70] [FI75] between a browser, with a second tab, and command lines, both ways and to two at once',
  async () => {
    // What an earlier try has left is nowhere here.
    await using lab = await Promise.resolve(new Lab())
    const ana = await FilePerson.open(world)
    await ana.enter('Ana')
    await ana.joined()
    const cli = await lab.client('cli', [world.relay.url])
    expect((await cli.run('add', await ana.invite())).code).toBe(0)
    const piped = randomBytes(3_500_000)
    using sending = cli.lines('send-file', 'Ana', '-', '--name', 'from-cli.bin')
    sending.write(piped.subarray(0, 2_500_000))
    await ana.page.getByRole('link', { name: /from-cli\.bin/ }).click()
    await ana.press('Accept')
    await ana.page.getByText('2.1 MB so far').waitFor()
    sending.write(piped.subarray(2_500_000))
    sending.finish()
    expect(sha256(await ana.save())).toBe(sha256(piped))

    // A folder is saved whole, with what it is called.
    const folder = lab.path('holiday')
    mkdirSync(join(folder, 'empty'), { recursive: true })
    writeFileSync(join(folder, 'one.txt'), 'first of two')
    writeFileSync(join(folder, 'two.txt'), 'and the other')
    expect((await cli.run('send-file', 'Ana', folder)).code).toBe(0)
    await ana.press('Accept')
    const archive = await ana.save('Save as one archive')
    expect(['holiday/empty/', 'holiday/one.txt', 'first of two', 'and the other'].filter((each) => !archive.includes(each))).toEqual([])

    await acceptAll(cli, { name: 'Ana' }, lab.path('received'))
    // The tab that the user looks at is not the one that runs the client.
    const second = await ana.second()
    await second.page.getByRole('link', { name: /holiday/ }).click()
    const bytes = randomBytes(2_000_000)
    await second.choose('from tab.bin', bytes)
    await second.page.locator('[data-transfer-state="done"]', { hasText: 'from tab.bin' }).waitFor()
    expect(sha256(readFileSync(lab.path('received/from tab.bin')))).toBe(sha256(bytes))

    const other = await lab.client('other', [world.relay.url])
    expect((await other.run('add', await ana.invite())).code).toBe(0)
    await acceptAll(other, { name: 'Ana' }, lab.path('received too'))
    await ana.sendFromTab(['cli', 'other'], { name: 'to both.bin', bytes })
    const both = ['received', 'received too'].map((folder) => lab.path(`${folder}/to both.bin`))
    await ana.page.locator('[data-transfer-state="done"]', { hasText: 'to both.bin' }).nth(1).waitFor()
    expect(both.map((each) => sha256(readFileSync(each)))).toEqual([sha256(bytes), sha256(bytes)])
  },
)
