/** Several devices of one account, on real processes. */
import { expect, it } from 'vitest'
import { befriend, eventually, Lab, type LabClient, type Lines } from './processes.ts'

/** Nothing while the contact is not there yet. */
async function texts(client: LabClient, contact: string): Promise<readonly string[]> {
  const listed = (await client.run('history', contact, '--limit', '1000')).json.messages as readonly { text: string }[] | undefined
  return (listed ?? []).map(({ text }) => text)
}

/** Waits for the code of both, and confirms it on the old device. @returns the link */
async function compare(old: LabClient, shown: Lines, fresh: Lines): Promise<void> {
  const [there, here] = [await shown.line('compare'), await fresh.line('compare')]
  expect(there['code']).toMatch(/^\d{6}$/)
  expect(here['code']).toBe(there['code'])
  expect(await old.run('devices', 'confirm', String(here['code']))).toMatchObject({ code: 0 })
}

it('[DV7] [DV9] [DV10] [DV12] [DV8] a second device joins, has history, gets and sends, and is taken out', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  const [ana, bo] = [await lab.client('ana', [relay.url]), await lab.client('bo', [relay.url])]
  await befriend(ana, bo)
  await ana.run('send', 'bo', '--wait', 'delivered', '--timeout', '60s', '--', 'before')
  const phone = lab.asleep('phone')
  using shown = bo.lines('devices', 'link')
  const { link } = await shown.line('waiting')
  using fresh = phone.lines('link', String(link))
  await compare(bo, shown, fresh)
  expect([await fresh.ended, await shown.ended]).toEqual([0, 0])
  await phone.start()
  expect(phone.account).toBe(bo.account)
  await eventually('history is there', async () => (await texts(phone, 'ana')).includes('before'))
  await eventually('ana knows both devices', async () => {
    const { json } = await ana.run('peers')
    return json.peers.filter(({ contact }: { contact: string }) => contact === bo.account).length === 2
  })
  await ana.run('send', 'bo', '--wait', 'delivered', '--timeout', '60s', '--', 'to both')
  for (const device of [bo, phone]) await eventually('it is at both', async () => (await texts(device, 'ana')).includes('to both'))
  await phone.run('send', 'ana', '--wait', 'delivered', '--timeout', '60s', '--', 'from the phone')
  await eventually('the copy is delivered', async () =>
    (await bo.history('ana')).some(({ text, state }) => text === 'from the phone' && state === 'delivered'),
  )
  const { devices } = (await bo.run('devices')).json as { devices: { device: string; here: boolean }[] }
  expect(devices).toHaveLength(2)
  const other = devices.find(({ here }) => !here)?.device ?? ''
  expect(await bo.run('devices', 'revoke', other)).toMatchObject({ code: 0, json: { device: other } })
  await eventually('the phone says so', async () => (await phone.run('devices')).json.revoked === true)
  expect((await phone.run('send', 'ana', '--', 'still here?')).json).toMatchObject({ error: { code: 'DEVICE_REVOKED' } })
  await eventually('ana knows', async () => {
    const { json } = await ana.run('peers')
    return json.peers.filter(({ contact }: { contact: string }) => contact === bo.account).length === 1
  })
  await ana.run('send', 'bo', '--wait', 'delivered', '--timeout', '60s', '--', 'after')
  expect([await texts(bo, 'ana'), await texts(phone, 'ana')].map((all) => all.includes('after'))).toEqual([true, false])
})
