import { describe, expect, it } from 'vitest'
import { noblePrimitives } from '../e2ee/primitives.ts'
import type { AccountId } from '../ids.ts'
import { sendControl } from '../main-path/index.ts'
import type { DeliveryControlFields } from '../wire/delivery-control.ts'
import { MAX_GRANTED_TOKENS } from '../wire/limits.ts'
import { TOKEN_BYTES, tokenKeyId } from '../wire/mailbox.ts'
import { A, again, B, type MailScene, scene, states, texts } from '../testing/mail-scene.ts'
import { plainIssuer } from '../testing/plain-tokens.ts'
import { World, type WorldNode } from '../testing/world.ts'

const DAY_MS = 86_400_000
async function takeTokens(from: WorldNode, ...givers: readonly (AccountId | null)[]): Promise<void> {
  for (const giver of givers)
    for (const token of await from.store.tokens(A, giver, 999)) await from.store.commit([{ kind: 'token.remove', token }])
}

/** What a program says that keeps to no rules. */
async function say(from: WorldNode, to: WorldNode, control: DeliveryControlFields): Promise<void> {
  const known = from.messenger.book.device(to.messenger.identity.device)
  const path = from.messenger['mainPath']
  if (known === undefined || path === undefined) throw new Error('not in contact')
  await sendControl(path, known, { control })
}

/** As `scene`; Ana has no place at Bo's mailbox, and what she can leave there is what he has given her. */
async function strangers(seed: number): Promise<MailScene> {
  const world = new World(seed)
  const relays = [A, B].map((url) => world.relay(url))
  const [ana, bo] = [await world.start('ana', { mailboxes: [B] }), await world.start('bo', { mailboxes: [A] })]
  await world.befriend(ana, bo)
  await world.run(5_000)
  return { world, relays, ana, bo }
}

/** One message a day to somebody who is away. */
async function writeDaily({ world, ana, bo }: Pick<MailScene, 'world' | 'ana' | 'bo'>, days: number): Promise<readonly string[]> {
  world.skipsIdle = true
  world.kill(bo)
  for (let day = 0; day < days; day += 1) {
    await world.send(ana, bo, `day ${day}`)
    await world.run(10_000)
    world.clock.jump(DAY_MS)
  }
  return [...new Set(await states(world, ana, bo))]
}

describe('tokens', () => {
  it('[MB11] contacts are kept in tokens: a month of mail, some every day', async () => {
    const { world, ana, bo } = await scene(707)
    world.skipsIdle = true
    world.network.partition(ana.messenger.identity.device, bo.messenger.identity.device, true)
    for (let day = 0; day < 12; day += 1) {
      for (let number = 0; number < 10; number += 1) await world.send(ana, bo, `day ${day} ${number}`)
      await world.run(30_000)
      world.clock.jump(DAY_MS)
      await world.run(30_000)
    }
    expect((await texts(world, bo, ana)).length).toBe(120)
    expect(new Set(await states(world, ana, bo))).toEqual(new Set(['delivered']))
  })

  it('[MB20] who writes to a member of the same relay for weeks orders tokens, though nobody gives any', async () => {
    expect(await writeDaily(await scene(722), 28)).toEqual(['carried'])
  })

  it('[MB11] a new contact at another relay has tokens for more than a week', async () => {
    expect(await writeDaily(await strangers(723), 10)).toEqual(['carried'])
  })

  it('[MB11] a new device with several contacts gives each of them tokens at once, however few it has at first', async () => {
    const { world, bo, ana } = await scene(726)
    const others = [await world.start('cy', { mailboxes: [A] }), await world.start('di', { mailboxes: [A] })]
    for (const each of others) await world.befriend(bo, each)
    await world.run(5_000)
    for (const each of [ana, ...others]) world.kill(each)
    const fresh = await world.start('bo phone', { mailboxes: [A] })
    const phone = await world.link(bo, fresh, () => ({ store: fresh.store.reopened(), mailboxes: [A] }))
    await world.run(5_000)
    const given = [ana, ...others].map(({ messenger }) => phone.store.setting(`mail-granted ${messenger.identity.device} ${A}`))
    expect((await Promise.all(given)).filter((each) => each === null)).toEqual([])
  })

  it('[MB20] tokens of a relay that has another key now are dropped at the first refusal, and ordered anew', async () => {
    const { world, relays, ana, bo } = await scene(724)
    world.kill(bo)
    relays[0]?.end()
    const { store } = world.relay(A, undefined, 'another machine')
    await world.send(ana, bo, 'to the new one')
    await world.run(60_000)
    expect(await states(world, ana, bo)).toEqual(['carried'])
    expect(store.spentCount).toBe(1)
    expect(await ana.store.tokens(A, bo.messenger.identity.account, 99)).toEqual([])
  })

  it('[MB20] contacts are given others when the relay has another key', async () => {
    const scenery = await strangers(725)
    scenery.world.skipsIdle = true
    const { world, relays, ana, bo } = scenery
    await world.run(600_000)
    relays[0]?.end()
    world.relay(A, undefined, 'another machine')
    await world.run(150_000)
    const keyId = noblePrimitives.sha256(plainIssuer('another machine', world.clock).publicKey())
    const held = [...(await ana.store.tokens(A, bo.messenger.identity.account, 12)), ...(await bo.store.tokens(A, null, 99))]
    expect(held.length).toBeGreaterThan(12)
    for (const token of held) expect(tokenKeyId(token)).toEqual(keyId)
    expect(await writeDaily(scenery, 10)).toEqual(['carried'])
  })

  it('[MB22] a message that finds no room holds up none that is smaller', async () => {
    const { world, relays, ana, bo } = await scene(726)
    const [store] = relays.map((relay) => relay.store)
    if (store === undefined) throw new Error('no relay')
    const deposit = store.deposit.bind(store)
    store.deposit = (batch, judge) => deposit(batch, (mail, state) => judge(mail, { ...state, totalBytes: 9e8 }))
    world.kill(bo)
    const large = Array.from({ length: 4_000 }, () => world.chance().toString(36).slice(2)).join('')
    for (const text of [large, 'small', large, 'and small']) await world.send(ana, bo, text)
    await world.run(60_000)
    expect(await states(world, ana, bo)).toEqual(['queued', 'carried', 'queued', 'carried'])
    expect((await ana.messenger.deliveries.outbox()).map(({ hold }) => hold)).toEqual(['mailbox-full', null, 'mailbox-full', null])
  })

  it('[MB15] tokens that a contact has made up spoil neither mail to others nor what others are given', async () => {
    const world = new World(710)
    const [relay] = [world.relay(A)]
    const start = (name: string) => world.start(name, { mailboxes: [A] })
    const [ana, bo, eve] = [await start('ana'), await start('bo'), await start('eve')]
    await world.befriend(ana, eve)
    await takeTokens(ana, null)
    for (let round = 0; round < 8; round += 1) {
      const tokens = Array.from({ length: MAX_GRANTED_TOKENS }, (_, at) => new Uint8Array(TOKEN_BYTES).fill(at).fill(round + 1, 0, 9))
      await say(eve, ana, { kind: 'grant', mailbox: A, tokens })
    }
    await world.run(5_000)
    await world.befriend(ana, bo)
    await world.run(5_000)
    world.network.partition(ana.messenger.identity.device, bo.messenger.identity.device, true)
    for (let number = 0; number < 3; number += 1)
      await Promise.all([world.send(ana, bo, `to ${number}`), world.send(bo, ana, `fro ${number}`)])
    await world.run(30_000)
    expect(relay.store.spentCount).toBeGreaterThan(1)
    expect([await states(world, ana, bo), await states(world, bo, ana)]).toEqual(Array(2).fill(Array(6).fill('delivered')))
  })

  it('[MB16] a burst costs a token for every 64 messages', async () => {
    const { world, ana, bo } = await scene(711)
    const left = async () =>
      (await Promise.all([null, bo.messenger.identity.account].map((giver) => ana.store.tokens(A, giver, 999)))).flat().length
    const send = async (count: number) => {
      for (let number = 0; number < count; number += 1) await world.send(ana, bo, `number ${number}`)
      await world.run(60_000)
    }
    world.network.partition(ana.messenger.identity.device, bo.messenger.identity.device, true)
    await send(30)
    expect(new Set(await states(world, ana, bo))).toEqual(new Set(['delivered']))
    world.kill(bo)
    const before = await left()
    // Of the first token 34 messages are left.
    await send(200)
    expect(new Set(await states(world, ana, bo))).toEqual(new Set(['delivered', 'carried']))
    expect(before - (await left())).toBe(3)
  })

  it('[MB11] a second mailbox that was away when contacts met has tokens for them once it is back', async () => {
    const { world, ana, bo } = await scene(712)
    const home = await again(world, (world.kill(ana), ana), [A, B])
    await world.run(5_000)
    world.relay(B)
    await world.run(200_000)
    world.network.partition(home.messenger.identity.device, bo.messenger.identity.device, true)
    await world.send(bo, home, 'by the first')
    await world.run(60_000)
    expect((await bo.store.tokens(B, home.messenger.identity.account, 9)).length).toBeGreaterThan(0)
  })

  it('[MB17] the sender is told why mail waits: no token, no room, nobody there', async () => {
    const { world, relays, ana, bo } = await strangers(713)
    const holds = async () => [...new Set((await ana.messenger.deliveries.outbox()).map(({ hold }) => hold))]
    world.kill(bo)
    await takeTokens(ana, null, bo.messenger.identity.account)
    await world.send(ana, bo, 'waits')
    await world.run(10_000)
    expect(await holds()).toEqual(['no-tokens'])
    const [store] = relays.map((relay) => relay.store)
    if (store === undefined) throw new Error('no relay')
    const deposit = store.deposit.bind(store)
    store.deposit = async (batch) => batch.map(() => ({ kind: 'refuse', why: 'tag-full' }))
    await world.run(200_000)
    expect(await holds()).toEqual(['mailbox-full'])
    relays[0]?.end()
    await world.run(200_000)
    expect(await holds()).toEqual(['mailbox-away'])
    store.deposit = deposit
    world.relay(A, store)
    const back = await again(world, bo)
    await world.run(200_000)
    expect(await texts(world, back, ana)).toEqual(['waits'])
  })

  it('[MB17] whose clock is days ahead is told that mailboxes refuse the date', async () => {
    const { world, ana, bo } = await scene(732)
    world.kill(ana)
    world.kill(bo)
    const ahead = await world.start(ana.name, { store: ana.store.reopened(), mailboxes: [A], skewMs: 3 * 86_400_000 })
    await world.send(ahead, bo, 'from the day after tomorrow')
    await world.run(20_000)
    expect((await ahead.messenger.deliveries.outbox()).map(({ hold }) => hold)).toEqual(['clock-wrong'])
  })

  it('[MB11] without tokens, messages wait with their sender, and the relay is not asked for each', async () => {
    const { world, relays, ana, bo } = await strangers(709)
    world.kill(bo)
    await takeTokens(ana, null, bo.messenger.identity.account)
    let asked = 0
    const [store] = relays.map((relay) => relay.store)
    if (store === undefined) throw new Error('no relay')
    const deposit = store.deposit.bind(store)
    store.deposit = (batch, judge) => {
      asked += batch.length
      return deposit(batch, judge)
    }
    for (let number = 0; number < 200; number += 1) await world.send(ana, bo, `number ${number}`)
    await world.run(10_000)
    expect(new Set(await states(world, ana, bo))).toEqual(new Set(['queued']))
    expect(asked).toBeLessThan(4)
    const back = await again(world, bo)
    await world.run(200_000)
    expect((await texts(world, back, ana)).length).toBe(200)
  })
})
