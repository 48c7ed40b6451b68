// Runs in a box beside the desktop program: opens its page in a real Chromium and says what people find there. One line of JSON in, one
// out: `{ "send": TEXT, "to": NAME }` writes into a conversation, `{ "until": { "neighbours", "routes", "carried" } }` waits until the tables
// of the Network tab have so many rows, and answers what stands in them.
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { chromium } from 'playwright-core'

const PROGRAMS = [process.env.SKEIN_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const WITHIN_MS = 90_000
const TABLES = { neighbours: 'Neighbours', routes: 'Routes', carried: 'Carried' }

const [url] = process.argv.slice(2)
const executablePath = PROGRAMS.find((path) => path !== undefined && existsSync(path))
const browser = await chromium.launch({ executablePath, chromiumSandbox: false })
const page = await browser.newPage({ locale: 'en-GB' })
page.setDefaultTimeout(WITHIN_MS)
await page.goto(url)

const area = (name) => page.getByRole('navigation').getByRole('link', { name }).click()
const rowsOf = (caption) =>
  page
    .getByRole('table', { name: caption })
    .locator('tbody tr')
    .evaluateAll((rows) => rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent.trim())))

async function send(text, to) {
  await area('Chats')
  await page.getByRole('link').filter({ hasText: to }).first().click()
  await page.getByLabel('Write a message').fill(text)
  await page.keyboard.press('Enter')
  await page.locator('[data-direction]', { hasText: text }).first().waitFor()
  return { sent: text }
}

async function until(wanted) {
  await area('Network')
  const found = Object.entries(wanted).map(async ([name, count]) => {
    const table = page.getByRole('table', { name: TABLES[name] })
    if (count === 0) await table.waitFor({ state: 'detached' })
    else
      await table
        .locator('tbody tr')
        .nth(count - 1)
        .waitFor()
    return [name, await rowsOf(TABLES[name])]
  })
  const tables = Object.fromEntries(await Promise.all(found))
  return { ...tables, drawn: (await page.locator('canvas').count()) > 0 }
}

process.stdout.write('{"ready":true}\n')
try {
  for await (const line of createInterface({ input: process.stdin })) {
    const { send: text, to, until: wanted } = JSON.parse(line)
    process.stdout.write(`${JSON.stringify(text === undefined ? await until(wanted) : await send(text, to))}\n`)
  }
} catch (error) {
  process.stdout.write(
    `${JSON.stringify({ failure: String(error).slice(0, 500), page: (await page.locator('body').innerText()).slice(0, 600) })}\n`,
  )
} finally {
  await browser.close()
}
