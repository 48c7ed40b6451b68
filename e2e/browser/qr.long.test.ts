/** QR codes as people use them: shown on one screen, read from a picture or by a camera on another. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { findChromium, launchChromium, MISSING } from './chromium.ts'
import { Interface, Person } from './interface-pages.ts'

const skipped = findChromium() === undefined && !process.env['CI']
if (skipped) process.stderr.write(`\nSKIPPED: QR codes in a browser. ${MISSING}\n\n`)

let world: Interface
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'skein-qr-'))
  if (!skipped) world = await Interface.open()
})
afterAll(async () => {
  await world?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

/** What a camera of 640 by 480 sees that is held before the code. */
async function photograph({ page }: Person, label: string): Promise<Buffer> {
  const code = page.getByLabel(label)
  await code.waitFor()
  const svg = await code.evaluate((each) => new XMLSerializer().serializeToString(each))
  const stand = await world.browser.newPage({ viewport: { width: 640, height: 480 } })
  await stand.setContent(`<body style="margin:40px;background:#777"><div style="width:400px">${svg}</div>`)
  const picture = await stand.screenshot({ type: 'jpeg', quality: 80 })
  await stand.close()
  return picture
}

it.skipIf(skipped)('[UI15] an invite is read from a picture, and a safety number too; another one is refused', async () => {
  const [ana, bo] = [await world.person(), await world.person()]
  for (const [person, name] of [
    [ana, 'Ana'],
    [bo, 'Bo'],
  ] as const) {
    await person.enter(name)
    await person.joined()
  }
  await ana.page.getByRole('button', { name: 'Invite', exact: true }).click()
  const invite = await photograph(ana, 'Your invite as a QR code')
  await ana.page.keyboard.press('Escape')
  await bo.page.getByRole('button', { name: 'Add contact' }).click()
  const file = bo.page.getByLabel('QR code from an image')
  await file.setInputFiles({ name: 'nothing.png', mimeType: 'image/png', buffer: Buffer.from('no picture') })
  await bo.page.getByText('There is no QR code in this image.').waitFor()
  await file.setInputFiles({ name: 'invite.jpg', mimeType: 'image/jpeg', buffer: invite })
  await bo.write('found you')
  await bo.sees('found you', 'delivered')
  for (const [person, other] of [
    [ana, 'Bo'],
    [bo, 'Ana'],
  ] as const) {
    await person.area('People')
    await person.page.getByRole('main').getByRole('link', { name: other }).first().click()
    await person.page.getByRole('button', { name: 'Verify…' }).click()
  }
  const number = await photograph(ana, 'Safety number as a QR code')
  const scanned = bo.page.getByLabel('QR code from an image')
  await scanned.setInputFiles({ name: 'invite.jpg', mimeType: 'image/jpeg', buffer: invite })
  await bo.page.getByRole('dialog').getByRole('alert').waitFor()
  await scanned.setInputFiles({ name: 'number.jpg', mimeType: 'image/jpeg', buffer: number })
  await bo.page.getByText('Verified.').waitFor()
  expect([ana.complaints, bo.complaints]).toEqual([[], []])
})

it.skipIf(skipped)('[UI15] an invite is read by the camera', async () => {
  const ana = await world.person()
  await ana.enter('Ana')
  await ana.joined()
  await ana.page.getByRole('button', { name: 'Invite', exact: true }).click()
  const film = join(folder, 'invite.mjpeg')
  const picture = await photograph(ana, 'Your invite as a QR code')
  writeFileSync(film, Buffer.concat([picture, picture]))
  const flags = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', `--use-file-for-fake-video-capture=${film}`]
  await using phone = await launchChromium(flags)
  const context = await phone.newContext({ permissions: ['camera'], locale: 'en-GB' })
  context.setDefaultTimeout(90_000)
  const bo = new Person(context, await context.newPage(), world.relay.url)
  await bo.enter('Bo')
  await bo.joined()
  await bo.page.getByRole('button', { name: 'Add contact' }).click()
  await bo.page.getByRole('button', { name: 'Scan with the camera' }).click()
  await bo.write('seen by the camera')
  await bo.sees('seen by the camera', 'delivered')
  expect(bo.complaints).toEqual([])
})
