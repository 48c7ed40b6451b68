import { describe, expect, it } from 'vitest'
import { encodePresenceFrame } from './wire/presence.ts'
import { encodeDelivery } from './wire/deliver.ts'
import { encodeContent } from './wire/content.ts'
import { communityNetwork, presenceTopic, signPresence } from './presence/index.ts'
import { noblePrimitives } from './e2ee/primitives.ts'
import { accountDigest, messageIdFromBytes } from './ids.ts'
import { encodeSigned } from './wire/signed.ts'
import { bundleFor } from './testing/bundles.ts'
import { World, type WorldNode } from './testing/index.ts'

async function pair(seed: number): Promise<{ world: World; ana: WorldNode; bo: WorldNode }> {
  const world = new World(seed)
  const [ana, bo] = [await world.start('ana'), await world.start('bo')]
  await world.befriend(ana, bo)
  return { world, ana, bo }
}

const texts = (messages: readonly { text: string }[]): string[] => messages.map(({ text }) => text)

describe('two messengers', () => {
  it('[DL1] deliver both ways, and each is told when', async () => {
    const { world, ana, bo } = await pair(1)
    const sent = await world.send(ana, bo, 'hello')
    expect(sent.state).toBe('queued')
    await world.run(1_000)
    expect(await ana.messenger.message(sent.id)).toMatchObject({ state: 'delivered' })
    await world.send(bo, ana, 'and back')
    await world.run(1_000)
    expect(texts(await world.history(ana, bo))).toEqual(['hello', 'and back'])
    expect(texts(await world.history(bo, ana))).toEqual(['hello', 'and back'])
    expect(ana.events.filter(({ kind }) => kind === 'state')).toHaveLength(1)
  })

  it('[DL1] whoever is told that a message is delivered, and reads it then, finds it so: the first as well as the next', async () => {
    const { world, ana, bo } = await pair(10)
    const found: Promise<string | undefined>[] = []
    ana.messenger.listen((event) => {
      if (event.kind === 'state') found.push(ana.messenger.message(event.message.id).then((read) => read?.state))
    })
    for (const text of ['first flight', 'next']) {
      await world.send(ana, bo, text)
      await world.run(1_000)
    }
    expect(await Promise.all(found)).toEqual(['delivered', 'delivered'])
  })

  it('[DL20] what is sent again under an id of the sender goes once, and an id is for one recipient', async () => {
    const { world, ana, bo } = await pair(11)
    const eve = await world.start('eve')
    await world.befriend(ana, eve)
    const id = messageIdFromBytes(new Uint8Array(16).fill(5))
    const send = (to: WorldNode) => ana.messenger.send(world.contactOf(ana, to), 'once', { id })
    await send(bo)
    expect(await send(bo)).toMatchObject({ id, text: 'once' })
    await expect(send(eve)).rejects.toMatchObject({ code: 'MESSAGE_UNKNOWN' })
    await world.run(1_000)
    expect(await send(bo)).toMatchObject({ id, state: 'delivered' })
    await world.run(1_000)
    expect(texts(await world.history(bo, ana))).toEqual(['once'])
    expect(texts(await world.history(eve, ana))).toEqual([])
  })

  it('[DL4] a message waits for the recipient and goes at once when it appears', async () => {
    const { world, ana, bo } = await pair(2)
    world.kill(bo)
    const sent = await world.send(ana, bo, 'for later')
    await world.run(300_000)
    expect(await ana.messenger.message(sent.id)).toMatchObject({ state: 'queued' })
    const again = await world.restart(bo)
    await world.run(5_000)
    expect(await ana.messenger.message(sent.id)).toMatchObject({ state: 'delivered' })
    expect(texts(await world.history(again, ana))).toEqual(['for later'])
  })

  it('[DL9] the sender is killed after queueing: its restart delivers', async () => {
    const { world, ana, bo } = await pair(3)
    world.network.partition(ana.messenger.identity.device, bo.messenger.identity.device, true)
    await world.send(ana, bo, 'one')
    world.kill(ana)
    world.network.partition(ana.messenger.identity.device, bo.messenger.identity.device, false)
    const again = await world.restart(ana)
    await world.run(10_000)
    expect(texts(await world.history(bo, again))).toEqual(['one'])
  })

  it('[DL2] a stranger and a blocked contact deliver nothing and learn nothing', async () => {
    const { world, ana, bo } = await pair(4)
    const eve = await world.start('eve')
    const opened = await eve.swarm.open(ana.messenger.identity.device, '/skein/deliver/1')
    if (opened.kind !== 'open') throw new Error('no channel')
    const sealed = encodeContent({
      id: messageIdFromBytes(new Uint8Array(16)),
      hlcMs: 1,
      hlcCounter: 0,
      createdAt: 1,
      body: { kind: 'text', text: 'spam' },
    })
    await opened.channel.send(encodeDelivery({ id: messageIdFromBytes(new Uint8Array(16)), seq: 1, sealed }))
    await world.run(1_000)
    expect(ana.swarm.offences.map(({ code }) => code)).toEqual(['UNKNOWN_SENDER'])
    await ana.messenger.change(bo.messenger.identity.account, { blocked: true })
    const sent = await world.send(bo, ana, 'let me in')
    await world.run(60_000)
    expect(await bo.messenger.message(sent.id)).toMatchObject({ state: 'queued' })
    expect(await world.history(ana, bo)).toEqual([])
  })

  it('[DL7] garbage on every protocol is refused with a code and costs the connection nothing else', async () => {
    const { world, ana, bo } = await pair(5)
    for (const protocol of ['/skein/deliver/1', '/skein/contact/1', '/skein/presence/1'] as const) {
      const opened = await bo.swarm.open(ana.messenger.identity.device, protocol)
      if (opened.kind !== 'open') throw new Error('no channel')
      await opened.channel.send(Uint8Array.of(0xff, 0xff, 0xff, 0xff))
      await opened.channel.send(Uint8Array.of(0x0a, 0x7f))
      await world.run(200)
    }
    expect(new Set(ana.swarm.offences.map(({ code }) => code))).toEqual(new Set(['BAD_FRAME']))
    await world.send(bo, ana, 'still here')
    await world.run(5_000)
    expect(texts(await world.history(ana, bo))).toEqual(['still here'])
  })

  it('[DL21] a full disk at the sender, and a store that closes meanwhile, end nothing: what is acknowledged is recorded when there is room', async () => {
    const { world, ana, bo } = await pair(6)
    const rejections: unknown[] = []
    const onRejection = (reason: unknown): number => rejections.push(reason)
    process.on('unhandledRejection', onRejection)
    const { id } = await world.send(ana, bo, 'there is no room for a receipt')
    ana.store.full = true
    let frames = 0
    const commit = ana.store.commit.bind(ana.store)
    ana.store.commit = (writes) => {
      frames += 1
      return commit(writes)
    }
    await world.run(60_000)
    expect(texts(await world.history(bo, ana))).toEqual(['there is no room for a receipt'])
    expect(await ana.messenger.message(id)).toMatchObject({ state: 'queued' })
    // Tried with waits in between, not over one link after the other.
    expect(frames).toBeLessThan(100)
    ana.store.full = false
    await world.run(200_000)
    expect(await ana.messenger.message(id)).toMatchObject({ state: 'delivered' })
    await world.send(ana, bo, 'and one as it closes')
    const closing = world.run(1_000)
    await ana.store.close()
    await closing
    world.kill(ana)
    await world.run(60_000)
    await new Promise((resolve) => setTimeout(resolve))
    process.off('unhandledRejection', onRejection)
    expect(rejections).toEqual([])
  })

  it('a full disk at the recipient: not acknowledged, delivered when there is room', async () => {
    const { world, ana, bo } = await pair(6)
    bo.store.full = true
    const sent = await world.send(ana, bo, 'patience')
    await world.run(30_000)
    expect(await ana.messenger.message(sent.id)).toMatchObject({ state: 'queued' })
    bo.store.full = false
    await world.run(200_000)
    expect(await ana.messenger.message(sent.id)).toMatchObject({ state: 'delivered' })
  })

  it('no log line holds what was written', async () => {
    const { world, ana, bo } = await pair(7)
    await world.send(ana, bo, 'canary-5e1f')
    await world.run(2_000)
    expect(JSON.stringify([...ana.logger.lines, ...bo.logger.lines])).not.toContain('canary-5e1f')
  })

  it('[IN6] an invite serves several people, and nobody without its secret', async () => {
    const world = new World(8)
    const [ana, bo, cy] = [await world.start('ana'), await world.start('bo'), await world.start('cy')]
    const { invite } = await ana.messenger.invite()
    const adding = [bo.messenger.add(invite), cy.messenger.add(invite)]
    await world.run(1_000)
    await Promise.all(adding)
    await world.run(1_000)
    expect(
      ana.messenger.book
        .all()
        .map(({ claimedName, state }) => [claimedName, state])
        .sort(),
    ).toEqual([
      ['bo', 'accepted'],
      ['cy', 'accepted'],
    ])
  })

  it('[CT6] strangers who ask for contact fill a bounded list', async () => {
    const world = new World(9)
    const ana = await world.start('ana')
    await ana.messenger.invite()
    for (let number = 0; number < 70; number += 1) {
      const eve = await world.start(`eve ${number}`)
      const record = ana.messenger.identity.signRecord({ relays: [], issuedAt: 1, bundle: bundleFor(ana.messenger.identity) })
      await world.network.directory.publishRecord(accountDigest(ana.messenger.identity.account), encodeSigned(record))
      const adding = eve.messenger.add(ana.messenger.identity.account)
      await world.run(100)
      world.kill(eve)
      await adding
    }
    expect(ana.messenger.book.requestCount()).toBe(64)
  }, 60_000)
})

describe('seeded delivery', () => {
  for (const seed of [101, 102, 103, 104, 105, 106, 107, 108]) {
    it(`[DL9] seed ${seed}: kills, partitions and restarts lose and double nothing`, async () => {
      const { world, ...start } = await pair(seed)
      let { ana, bo } = start
      const sent: string[] = []
      for (let step = 0; step < 40; step += 1) {
        const luck = world.chance()
        if (luck < 0.6) sent.push((await world.send(ana, bo, `message ${step}`)).id)
        else if (luck < 0.7) {
          world.kill(bo)
          bo = await world.restart(bo)
        } else if (luck < 0.8) {
          world.kill(ana)
          ana = await world.restart(ana)
        } else world.network.partition(ana.messenger.identity.device, bo.messenger.identity.device, luck < 0.9)
        await world.run(world.chance() * 3_000)
      }
      world.network.partition(ana.messenger.identity.device, bo.messenger.identity.device, false)
      await world.run(400_000)
      const arrived = (await world.history(bo, ana)).map(({ id }) => id as string)
      expect(sent.length).toBeGreaterThan(5)
      expect(arrived).toEqual(sent)
      expect((await world.history(ana, bo)).every(({ state }) => state === 'delivered')).toBe(true)
    }, 60_000)
  }
})

describe('presence', () => {
  it('[PR1] [PR4] contacts appear after settling and are gone 45 s after the last sign of life', async () => {
    const { world, ana, bo } = await pair(20)
    await world.run(3_000)
    expect(ana.messenger.presence.isPresent(bo.messenger.identity.device)).toBe(true)
    world.kill(bo)
    const seen = ana.messenger.presence.lastSeen(bo.messenger.identity.device) ?? 0
    await world.run(seen + 44_000 - world.clock.now())
    expect(ana.messenger.presence.isPresent(bo.messenger.identity.device)).toBe(true)
    await world.run(3_000)
    expect(ana.messenger.presence.isPresent(bo.messenger.identity.device)).toBe(false)
    expect(ana.events.filter((event) => event.kind === 'presence').map((event) => event.kind === 'presence' && event.online)).toEqual([
      true,
      false,
    ])
  })

  it('[PR3] [PR8] with 30 % of gossip lost nobody flaps', async () => {
    const world = new World(21)
    const relay = (await world.start('relay')).messenger.identity.device
    const nodes = await Promise.all(Array.from({ length: 6 }, (_, number) => world.start(`node ${number}`, { visibility: 'everyone' })))
    for (const { swarm } of nodes)
      for (const listener of swarm.listeners)
        listener.onRelay?.({ url: 'http://relay.test', device: relay, connected: true, reserved: true, passable: true, givesPlaces: true })
    await world.run(20_000)
    for (const { messenger } of nodes) expect(messenger.presence.present()).toHaveLength(5)
    world.network.gossipLoss = 0.3
    await world.run(600_000)
    const left = nodes.flatMap(({ events }) => events.filter((event) => event.kind === 'presence' && !event.online))
    expect(left).toEqual([])
    for (const { messenger } of nodes) expect(messenger.presence.present()).toHaveLength(5)
  }, 60_000)

  it('[PR6] replayed, old, foreign and forged presences are refused', async () => {
    const world = new World(22)
    const relay = (await world.start('relay')).messenger.identity.device
    const [ana, bo] = [await world.start('ana', { visibility: 'everyone' }), await world.start('bo', { visibility: 'nobody' })]
    for (const listener of ana.swarm.listeners)
      listener.onRelay?.({ url: 'http://relay.test', device: relay, connected: true, reserved: true, passable: true, givesPlaces: true })
    await world.run(1_000)
    const receive = ana.swarm.topics.get(presenceTopic(relay))
    if (receive === undefined) throw new Error('not subscribed')
    const network = communityNetwork(noblePrimitives, relay)
    const make = (at: number, scope = network): Uint8Array =>
      encodePresenceFrame({
        kind: 'presence',
        own: signPresence(noblePrimitives, bo.messenger.identity, { network: scope, at, name: 'bo', lease: 0 }),
      })
    const now = world.clock.now()
    expect(await receive(make(now - 600_000))).toBe('ignore')
    expect(await receive(make(now, communityNetwork(noblePrimitives, bo.messenger.identity.device)))).toBe('reject')
    const fresh = make(now)
    const forged = fresh.slice()
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1
    expect(await receive(forged)).toBe('reject')
    expect(ana.messenger.presence.present()).toEqual([])
    expect(await receive(fresh)).toBe('accept')
    expect(await receive(fresh)).toBe('ignore')
    expect(await receive(make(now - 1))).toBe('ignore')
    expect(ana.messenger.presence.present()).toHaveLength(1)
  })

  it('visibility nobody: nothing is announced', async () => {
    const world = new World(23)
    const [ana, bo] = [await world.start('ana', { visibility: 'nobody' }), await world.start('bo')]
    await world.befriend(ana, bo)
    await world.run(60_000)
    expect(bo.messenger.presence.isPresent(ana.messenger.identity.device)).toBe(false)
    expect(ana.messenger.presence.isPresent(bo.messenger.identity.device)).toBe(true)
  })
})
