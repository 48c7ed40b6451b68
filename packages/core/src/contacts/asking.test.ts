import { base64 } from '@scure/base'
import { describe, expect, it } from 'vitest'
import { MemoryStore } from '../testing/memory-store.ts'
import { VirtualClock } from '../testing/virtual-clock.ts'
import { World, type WorldNode } from '../testing/world.ts'
import type { StoredContact } from '../ports/store.ts'
import { noblePrimitives } from '../e2ee/primitives.ts'
import { LIST_SETTING, LIST_VERSION_SETTING, signDeviceList } from '../identity/index.ts'
import { encodeSigned } from '../wire/signed.ts'
import { ASKED_MS, AskedDevices, MAX_ASKED } from './asked-devices.ts'
import { MAX_REQUESTS } from './contact-book.ts'

const deviceOf = ({ messenger }: WorldNode) => messenger.identity.device
const accountOf = ({ messenger }: WorldNode) => messenger.identity.account
const statesOf = ({ messenger }: WorldNode): string[] => messenger.book.all().map(({ state }) => state)

async function strangers(seed: number, ...names: string[]): Promise<{ world: World; nodes: WorldNode[] }> {
  const world = new World(seed)
  const nodes = []
  for (const name of names) nodes.push(await world.start(name))
  return { world, nodes }
}

async function ask(world: World, from: WorldNode, to: WorldNode): Promise<StoredContact | null> {
  const asking = from.messenger.ask(deviceOf(to))
  await world.run(2_000)
  return asking
}

async function accept(world: World, at: WorldNode, from: WorldNode): Promise<void> {
  const accepting = at.messenger.add(accountOf(from))
  await world.run(2_000)
  await accepting
}

/** Anybody can copy the entry of a device from a card into a list of their own. */
async function claim(world: World, eve: WorldNode, of: WorldNode): Promise<void> {
  const { identity } = eve.messenger
  const devices = [identity.entry, of.messenger.identity.entry]
  const list = signDeviceList(noblePrimitives, { accountSeed: identity.accountSeed, version: 2, devices })
  await eve.store.commit([
    { kind: 'setting.put', key: LIST_SETTING, value: base64.encode(encodeSigned(list)) },
    { kind: 'setting.put', key: LIST_VERSION_SETTING, value: '2' },
  ])
  world.kill(eve)
}

describe('asking somebody nearby for contact', () => {
  it('[CT8] makes a request there and nothing more; a yes makes both contacts at once, and messages pass', async () => {
    const { world, nodes } = await strangers(60, 'ana', 'bo')
    const [ana, bo] = nodes as [WorldNode, WorldNode]
    expect(await ask(world, ana, bo)).toBeNull()
    expect([statesOf(ana), statesOf(bo)]).toEqual([[], ['requested']])
    expect(ana.messenger.hasAsked(deviceOf(bo))).toBe(true)
    await accept(world, bo, ana)
    expect([statesOf(ana), statesOf(bo)]).toEqual([['accepted'], ['accepted']])
    expect(ana.messenger.hasAsked(deviceOf(bo))).toBe(false)
    await world.send(ana, bo, 'nice to meet you')
    await world.run(2_000)
    expect((await world.history(bo, ana)).map(({ text }) => text)).toEqual(['nice to meet you'])
  })

  it('[CT8] counts when whoever asked was away or started anew before the yes', async () => {
    const { world, nodes } = await strangers(61, 'ana', 'bo')
    const [ana, bo] = nodes as [WorldNode, WorldNode]
    await ask(world, ana, bo)
    world.kill(ana)
    await accept(world, bo, ana)
    expect(statesOf(bo)).toEqual(['pending'])
    const again = await world.restart(ana)
    await world.run(400_000)
    expect([statesOf(again), statesOf(bo)]).toEqual([['accepted'], ['accepted']])
  })

  it('[CT8] two who ask each other have both said yes: one after the other, and at the same time', async () => {
    const { world, nodes } = await strangers(62, 'ana', 'bo', 'cy', 'di')
    const [ana, bo, cy, di] = nodes as [WorldNode, WorldNode, WorldNode, WorldNode]
    await ask(world, ana, bo)
    expect(await ask(world, bo, ana)).toMatchObject({ state: 'accepted' })
    const both = [cy.messenger.ask(deviceOf(di)), di.messenger.ask(deviceOf(cy))]
    await world.run(15_000)
    await Promise.all(both)
    for (const each of nodes) expect(statesOf(each)).toEqual(['accepted'])
  })

  it('[CT9] a third device gets in by no list of its own: neither alone, nor with the asked device among its devices', async () => {
    const { world, nodes } = await strangers(63, 'ana', 'bo', 'eve')
    const [ana, bo, eve] = nodes as [WorldNode, WorldNode, WorldNode]
    await ask(world, ana, bo)
    await claim(world, eve, bo)
    await ask(world, await world.restart(eve), ana)
    expect(ana.messenger.book.get(accountOf(eve))).toMatchObject({ state: 'requested' })
    await accept(world, bo, ana)
    expect(ana.messenger.book.get(accountOf(bo))).toMatchObject({ state: 'accepted' })
    expect(ana.messenger.book.get(accountOf(eve))).toMatchObject({ state: 'requested' })
    await world.send(bo, ana, 'still mine')
    await world.send(ana, bo, 'and here')
    await world.run(3_000)
    expect((await world.history(ana, bo)).map(({ text, state }) => [text, state])).toEqual([
      ['still mine', 'delivered'],
      ['and here', 'delivered'],
    ])
  })

  it('[CT9] who is blocked stays so, whoever asks; own devices and devices out of reach are refused with a code', async () => {
    const { world, nodes } = await strangers(64, 'ana', 'bo')
    const [ana, bo] = nodes as [WorldNode, WorldNode]
    await world.befriend(ana, bo)
    await ana.messenger.change(accountOf(bo), { blocked: true })
    await ask(world, ana, bo)
    await ask(world, bo, ana)
    await world.run(60_000)
    expect(ana.messenger.book.get(accountOf(bo))).toMatchObject({ blocked: true })
    await expect(ana.messenger.ask(deviceOf(ana))).rejects.toMatchObject({ code: 'USAGE' })
    const nobody = world.strangerDevice()
    await expect(ana.messenger.ask(nobody)).rejects.toMatchObject({ code: 'DEVICE_AWAY' })
    expect(ana.messenger.hasAsked(nobody)).toBe(false)
  })

  it('[CT6] [CT9] a crowd that asks fills the list of requests and no more; who answers as somebody else is none', async () => {
    const { world, nodes } = await strangers(65, 'ana')
    const [ana] = nodes as [WorldNode]
    for (let number = 0; number < MAX_REQUESTS + 5; number += 1) {
      const stranger = await world.start(`stranger ${number}`)
      const asking = stranger.messenger.ask(deviceOf(ana))
      await world.run(200)
      await asking
      world.kill(stranger)
    }
    expect(ana.messenger.book.requestCount()).toBe(MAX_REQUESTS)
    const liar = await world.start('liar')
    const last = await world.start('last')
    liar.swarm.handle('/skein/contact/1', async (channel) => {
      for await (const _ of channel.frames()) await channel.send(Uint8Array.of(0xff, 0xff))
      channel.close()
    })
    const asking = last.messenger.ask(deviceOf(liar))
    asking.catch(() => undefined)
    await world.run(2_000)
    await expect(asking).rejects.toMatchObject({ code: 'BAD_FRAME' })
    expect(statesOf(last)).toEqual([])
  }, 60_000)
})

it('[CT10] few are remembered, for 7 days, also across a restart', async () => {
  const [store, clock, world] = [new MemoryStore(), new VirtualClock(), new World(66)]
  const asked = new AskedDevices({ store, clock })
  const second = world.strangerDevice()
  const devices = [world.strangerDevice(), second, ...Array.from({ length: MAX_ASKED - 1 }, () => world.strangerDevice())]
  for (const device of devices) await asked.remember(device)
  const again = new AskedDevices({ store, clock })
  await again.load()
  expect(devices.map((device) => again.has(device))).toEqual(devices.map((_, at) => at > 0))
  await clock.advance(ASKED_MS - 1)
  expect(again.has(second)).toBe(true)
  await clock.advance(1)
  expect(again.has(second)).toBe(false)
})

it('[ID11] who names the device of somebody else among its own takes nothing over, whether it comes before or after', async () => {
  const { world, nodes } = await strangers(67, 'ana', 'bo', 'eve', 'cy')
  const [ana, bo, eve, cy] = nodes as [WorldNode, WorldNode, WorldNode, WorldNode]
  await world.befriend(ana, bo)
  await claim(world, eve, bo)
  const forger = await world.restart(eve)
  await ask(world, forger, ana)
  await ask(world, forger, cy)
  for (const [to, from] of [
    [ana, bo],
    [cy, bo],
  ] as const) {
    if (to === cy) await world.befriend(cy, bo)
    expect(to.messenger.book.ownerOf(deviceOf(bo))?.account).toBe(accountOf(bo))
    await world.send(from, to, 'from bo')
    await world.run(1_000)
    await world.send(to, from, 'to bo')
    await world.run(3_000)
    expect((await world.history(to, from)).map(({ text, state }) => [text, state])).toEqual([
      ['from bo', 'delivered'],
      ['to bo', 'delivered'],
    ])
  }
  await accept(world, ana, forger)
  expect(ana.messenger.book.devicesOf(accountOf(forger)).map(({ device }) => device)).toEqual([deviceOf(forger)])
  world.kill(ana)
  const again = await world.restart(ana)
  expect(again.messenger.book.ownerOf(deviceOf(bo))?.account).toBe(accountOf(bo))
})
