import { expect, it } from 'vitest'
import { World } from '../testing/world.ts'

it('[CT4] an introduction that is not answered is tried again', async () => {
  const world = new World(40)
  const [ana, bo] = [await world.start('ana'), await world.start('bo')]
  const { invite } = await ana.messenger.invite()
  let asked = 0
  const stop = ana.swarm.handle('/skein/contact/1', async (channel) => {
    asked += 1
    for await (const _ of channel.frames()) break
  })
  const adding = bo.messenger.add(invite)
  await world.run(60_000)
  expect((await adding).state).toBe('pending')
  expect(asked).toBeGreaterThan(1)
  stop()
})

it('[CT5] a contact that hangs up at once is not called more than twice a second', async () => {
  const world = new World(41)
  const [ana, bo] = [await world.start('ana'), await world.start('bo')]
  await world.befriend(ana, bo)
  await bo.messenger.change(ana.messenger.identity.account, { blocked: true })
  let calls = 0
  bo.swarm.handle('/skein/presence/1', async (channel) => {
    calls += 1
    channel.close()
  })
  await world.run(60_000)
  expect(calls).toBeGreaterThan(0)
  expect(calls).toBeLessThanOrEqual(121)
})

it('[PR2] who arrives on a topic is welcomed by those who are there', async () => {
  const world = new World(42)
  const relay = (await world.start('relay')).messenger.identity.device
  const joined = { url: 'http://relay.test', device: relay, connected: true, reserved: true }
  const [ana, bo] = [await world.start('ana', { visibility: 'everyone' }), await world.start('bo', { visibility: 'everyone' })]
  for (const listener of ana.swarm.listeners) listener.onRelay?.(joined)
  await world.run(20_000)
  for (const listener of bo.swarm.listeners) listener.onRelay?.(joined)
  await world.run(1_200)
  expect(bo.messenger.presence.isPresent(ana.messenger.identity.device)).toBe(true)
})
