// `npm run screenshots`: the pictures of the README, of two people who really talk over a real relay.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureChromium } from '../../tools/system-packages.mjs'
import { DESK, Interface, PHONE } from './interface-pages.ts'

const FOLDER = fileURLToPath(new URL('../../docs/screenshots', import.meta.url))
/** Text stays sharp, and a picture has some 20 kB. */
const QUALITY = 70

/** WebP, which Chromium writes itself. */
async function shoot({ context, page }, name) {
  const session = await context.newCDPSession(page)
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: QUALITY })
  writeFileSync(join(FOLDER, `${name}.webp`), Buffer.from(data, 'base64'))
  process.stdout.write(`docs/screenshots/${name}.webp\n`)
}

const TALK = [
  ['bo', 'Hi Ana, this opened straight from your link.'],
  ['ana', 'No account, no app store. The key was made on your phone and stays there.'],
  ['bo', 'And the café’s Wi-Fi? Its internet is down half of the time.'],
  ['ana', 'We are on the same network, so this goes from device to device. Try pulling the plug.'],
  ['bo', 'Done. Still talking!'],
]

async function talk(people) {
  for (const [who, text] of TALK) {
    await people[who].write(text)
    await people[who].sees(text.slice(0, 20), 'delivered')
    await people[who === 'ana' ? 'bo' : 'ana'].sees(text.slice(0, 20))
  }
}

ensureChromium()
mkdirSync(FOLDER, { recursive: true })
await using world = await Interface.open()
const [ana, bo, cleo] = [
  await world.person({ viewport: DESK }),
  await world.person({ viewport: PHONE }),
  await world.person({ viewport: PHONE }),
]
await ana.enter('Ana')
await ana.joined()
const invite = await ana.invite()
await cleo.enter('Cleo', invite)
await cleo.write('See you on Saturday at the market!')
await cleo.sees('See you on Saturday', 'delivered')
await bo.enter('Bo', invite)
await bo.page.getByLabel('Write a message').waitFor()
await bo.write(TALK[0][1])
await bo.sees('Hi Ana', 'delivered')
await ana.page.getByRole('link', { name: /opened straight/ }).click()
TALK.shift()
await talk({ ana, bo })
await ana.page.locator('[data-path="direct"]').waitFor()
await shoot(ana, 'chats')
await bo.page.evaluate(() => localStorage.setItem('skein.theme', 'dark'))
await bo.page.reload()
await bo.sees('Still talking')
await bo.page.locator('[data-path="direct"]').waitFor()
await shoot(bo, 'phone')
await cleo.page.goto(`${world.relay.url}/#/chats`)
await cleo.page.getByRole('button', { name: 'Invite', exact: true }).click()
await cleo.page.getByLabel('Your invite as a QR code').waitFor()
await shoot(cleo, 'invite')
