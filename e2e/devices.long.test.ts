/** Linking that is cut short, on real processes. */
import { expect, it } from 'vitest'
import { eventually, Lab } from './processes.ts'

it('[DV7] [DV5] killed in mid-link, the new device goes on with the same link; a wrong code and a second use are refused', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  const bo = await lab.client('bo', [relay.url])
  await bo.joined()
  {
    using shown = bo.lines('devices', 'link')
    const { link } = await shown.line('waiting')
    using fresh = lab.asleep('eve').lines('link', String(link))
    await fresh.line('compare')
    await bo.run('devices', 'confirm', '000000x')
    expect([await fresh.ended, await shown.ended]).toEqual([1, 1])
    expect(fresh.seen.at(-1)).toMatchObject({ error: { code: 'LINK_REFUSED' } })
  }
  using shown = bo.lines('devices', 'link')
  const { link } = await shown.line('waiting')
  const phone = lab.asleep('phone')
  using fresh = phone.lines('link', String(link))
  await Promise.all([shown.line('compare'), fresh.line('compare')])
  fresh.kill()
  await fresh.ended
  const { code } = await shown.line('compare')
  await bo.run('devices', 'confirm', String(code))
  await eventually('the list has it', async () => (await bo.run('devices')).json.devices.length === 2)
  using again = phone.lines('link', String(link))
  await again.line('linked')
  expect(await again.ended).toBe(0)
  await phone.start()
  expect(phone.account).toBe(bo.account)
})
