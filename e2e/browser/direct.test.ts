/** Two browsers that find a direct connection: nothing of theirs passes the relay any more, and they do not need it. */
import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import type { LabRelay } from '../processes.ts'
import { findChromium, MISSING } from './chromium.ts'
import { Interface } from './interface-pages.ts'

const skipped = findChromium() === undefined && !process.env['CI']
if (skipped) process.stderr.write(`\nSKIPPED: browsers with a direct connection. ${MISSING}\n\n`)

const RELAYED = /^skein_relay_relayed_bytes_total(?:\{[^}]*\})? (\d+)$/gm

/** Bytes that the relay has passed on since its start. */
async function relayedBytes({ url }: LabRelay): Promise<number> {
  const samples = [...(await (await fetch(`${url}/metrics`)).text()).matchAll(RELAYED)]
  expect(samples).not.toEqual([])
  return samples.reduce((sum, [, bytes]) => sum + Number(bytes), 0)
}

it.skipIf(skipped)(
  '[BN5] [UI8] the connection of two browsers becomes direct: the relay passes nothing on, may be killed and come back, and both see it',
  async () => {
    await using world = await Interface.open()
    const [ana, bo] = [await world.person(), await world.person()]
    await ana.enter('Ana')
    await ana.joined()
    await bo.enter('Bo', await ana.invite())
    await bo.write('first')
    await bo.sees('first', 'delivered')
    await ana.page.getByRole('link', { name: /first/ }).click()
    for (const { page } of [ana, bo]) await page.locator('[data-path="direct"]').waitFor()
    await ana.page.getByRole('heading', { name: 'Bo' }).click()
    await ana.page.getByText('Direct connection').last().click()
    await ana.page.getByText('Through both routers, by WebRTC: in use').waitFor()
    expect(await ana.faults()).toEqual([])
    await ana.page.keyboard.press('Escape')
    await ana.area('Network')
    await ana.page.getByRole('button', { name: 'Check the connection' }).click()
    await ana.page.getByText(/Joined; others reach this device over it/).waitFor()
    expect(await ana.faults()).toEqual([])
    await ana.area('Chats')
    await ana.page.getByRole('link', { name: /first/ }).click()
    const before = await relayedBytes(world.relay)
    const size = 10_000
    for (const last of ['1', '2', '3', '4', 'the fifth']) {
      // Random text: it cannot be compressed below that.
      await bo.write(`${randomBytes(size).toString('hex')} ${last}`)
      await bo.sees(last, 'delivered')
    }
    await ana.sees('the fifth')
    // Less than one of them: what upkeep there is on a circuit that stands.
    expect((await relayedBytes(world.relay)) - before).toBeLessThan(size)
    await world.relay.end('SIGKILL')
    for (const { page } of [ana, bo]) await page.locator('[data-tone="bad"]').waitFor()
    await ana.write('the relay has gone')
    await ana.sees('the relay has gone', 'delivered')
    await bo.write('so I see')
    await bo.sees('so I see', 'delivered')
    await ana.sees('so I see')
    await world.relay.start()
    for (const each of [ana, bo]) await each.joined()
    await bo.write('it is back')
    await bo.sees('it is back', 'delivered')
    await ana.sees('it is back')
    expect([ana.complaints, bo.complaints]).toEqual([[], []])
  },
)
