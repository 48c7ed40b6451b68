/** The window of the desktop program, which is a page with its client behind it, beside the command line. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { eventually, Lab } from '../processes.ts'
import { findChromium, launchChromium, MISSING } from './chromium.ts'

const DESKTOP = fileURLToPath(new URL('../../apps/desktop/bundle/main.js', import.meta.url))
const skipped = findChromium() === undefined && !process.env['CI']
if (skipped) process.stderr.write(`\nSKIPPED: the window of the desktop program. ${MISSING}\n\n`)

it.skipIf(skipped)('[DW7] the window shows what its client has, and talks with the command line', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  const cli = await lab.client('cli', [relay.url])
  const args = ['--json', '--no-window', '--data-dir', lab.path('window'), '--relay', relay.url, '--name', 'Ana']
  const desktop = spawn(process.execPath, [DESKTOP, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const [line] = await once(createInterface({ input: desktop.stdout }), 'line')
    const { url } = JSON.parse(String(line)) as { readonly url: string }
    await using browser = await launchChromium([])
    const page = await browser.newPage()
    await page.goto(url)
    await page.locator('[data-tone="good"]').waitFor()
    await page.getByRole('button', { name: 'Invite', exact: true }).click()
    const invite = await page.getByLabel('Your invite', { exact: true }).inputValue()
    await page.keyboard.press('Escape')
    expect((await cli.run('add', invite)).code).toBe(0)
    expect(await cli.run('send', 'Ana', '--wait', 'delivered', '--', 'to the window')).toMatchObject({ code: 0 })
    await page.getByRole('link', { name: /to the window/ }).click()
    await page.getByLabel('Write a message').fill('from the window')
    await page.keyboard.press('Enter')
    await eventually('it arrives', async () => (await cli.history('Ana')).some(({ text }) => text === 'from the window'))
    // A copy of the link is worth nothing.
    expect((await (await browser.newContext()).request.get(url)).status()).toBe(401)
  } finally {
    desktop.kill('SIGTERM')
    if (desktop.exitCode === null) await once(desktop, 'exit')
  }
  expect(desktop.exitCode).toBe(0)
})
