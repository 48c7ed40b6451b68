/** A client that serves the web client itself: somebody without Skein scans a code, on a network without any relay. */
import { request } from 'node:http'
import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import { eventually, Lab } from '../processes.ts'
import { findChromium, launchChromium, MISSING } from './chromium.ts'
import { OUT, Person } from './interface-pages.ts'

const skipped = findChromium() === undefined && !process.env['CI']
if (skipped) process.stderr.write(`\nSKIPPED: pages served by a client. ${MISSING}\n\n`)

it.skipIf(skipped)(
  '[OP1] a guest opens the page of a client, talks with it without a relay, also after both have gone and come back',
  async () => {
    if (!existsSync(OUT)) throw new Error('the interface has not been built: npm run build in apps/web')
    await using lab = await Promise.resolve(new Lab())
    const ana = await lab.client('ana', [], ['--host', '127.0.0.1', '--page'])
    const { invite } = (await ana.run('invite', '--here')).json as { invite: string }
    expect(invite).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#/)
    await using browser = await launchChromium([])
    const context = await browser.newContext()
    const guest = new Person(context, await context.newPage(), new URL(invite).origin)
    await guest.enter('Guest', invite)
    await guest.page.getByLabel('Write a message').waitFor({ timeout: 60_000 })
    await guest.write('I have no Skein')
    await guest.sees('I have no Skein', 'delivered')
    const [contact] = (await ana.run('contacts')).json['contacts'] as { contact: string }[]
    await ana.run('send', contact?.contact ?? '', '--wait', 'delivered', '--timeout', '60s', '--', 'now you have')
    await guest.sees('now you have')
    await guest.page.locator('[data-tone="good"]', { hasText: new URL(invite).host }).waitFor()
    await ana.end()
    await guest.page.locator('[data-tone="good"]').waitFor({ state: 'detached' })
    await ana.start()
    await guest.page.reload()
    await guest.page.getByRole('link', { name: /now you have/ }).click()
    await guest.write('still here')
    await guest.sees('still here', 'delivered')
    await eventually('ana has it', async () => (await ana.history(contact?.contact ?? '')).some(({ text }) => text === 'still here'))
    expect(guest.complaints).toEqual([])
  },
)

/** @returns status of a request with this Host header */
function ask(url: string, host: string, method = 'GET', path = '/'): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, url), { method, headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    sent.on('error', reject)
    sent.end()
  })
}

it('[OP2] the page is there under an address alone, read only, and says nothing of who serves it', async () => {
  await using lab = await Promise.resolve(new Lab())
  const ana = await lab.client('ana', [], ['--host', '127.0.0.1', '--page'])
  const { invite } = (await ana.run('invite', '--here')).json as { invite: string }
  const { origin, host } = new URL(invite)
  expect(await ask(origin, host)).toBe(200)
  for (const name of ['evil.test', 'evil.test:8014', 'localhost.evil.test']) expect([name, await ask(origin, name)]).toEqual([name, 421])
  expect(await ask(origin, host, 'POST', '/relay.json')).toBe(405)
  for (const path of ['/../package.json', '/%2e%2e/%2e%2e/package.json', '/host.json', '/api'])
    expect([path, await ask(origin, host, 'GET', path)]).toEqual([path, 404])
  const page = await fetch(origin)
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(page.headers.get('x-frame-options')).toBe('DENY')
  const text = await (await fetch(`${origin}/relay.json`)).text()
  expect(JSON.parse(text)).toMatchObject({ version: 1, places: false })
  expect(text).not.toContain(ana.account)
})
