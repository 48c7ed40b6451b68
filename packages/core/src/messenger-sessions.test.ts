import { describe, expect, it } from 'vitest'
import type { StoredMessage } from './ports/store.ts'
import { World, type WorldNode } from './testing/index.ts'

const DAY_MS = 86_400_000
const texts = (messages: readonly StoredMessage[]): readonly string[] => messages.map(({ text }) => text)

async function pair(seed: number): Promise<{ world: World; ana: WorldNode; bo: WorldNode }> {
  const world = new World(seed)
  const [ana, bo] = [await world.start('ana'), await world.start('bo')]
  await world.befriend(ana, bo)
  await world.send(ana, bo, 'hello')
  await world.send(bo, ana, 'hi')
  await world.run(5_000)
  return { world, ana, bo }
}

describe('sessions between two messengers', () => {
  it('[ES6] a sender whose database was copied back: what it sends arrives, once, after the two have started anew', async () => {
    const { world, ana, bo } = await pair(501)
    const copy = ana.store.reopened()
    for (const text of ['1', '2', '3']) await world.send(ana, bo, text)
    await world.run(5_000)
    world.kill(ana)
    const again = await world.start('ana', { store: copy })
    await world.run(30_000)
    for (const text of ['4', '5']) await world.send(again, bo, text)
    await world.run(60_000)
    await world.send(bo, again, 'all here')
    await world.run(30_000)
    expect(texts(await world.history(bo, again)).filter((text) => /^\d$/.test(text))).toEqual(['1', '2', '3', '4', '5'])
    expect(texts(await world.history(again, bo))).toContain('all here')
    expect((await world.history(again, bo)).every(({ state }) => state === 'delivered')).toBe(true)
  })

  it('[ES6] a recipient whose database was copied back gets what is sent to it, once', async () => {
    const { world, ana, bo } = await pair(502)
    const copy = bo.store.reopened()
    for (const text of ['1', '2', '3']) await world.send(ana, bo, text)
    await world.send(bo, ana, 'answer')
    await world.run(5_000)
    await world.send(ana, bo, '4')
    await world.run(5_000)
    world.kill(bo)
    const again = await world.start('bo', { store: copy })
    await world.run(30_000)
    for (const text of ['5', '6']) await world.send(ana, again, text)
    await world.run(120_000)
    // 1 to 4 were acknowledged to ana before the copy was put back: they are gone with the newer database.
    expect(texts(await world.history(again, ana)).filter((text) => /^\d$/.test(text))).toEqual(['5', '6'])
    expect((await world.history(ana, again)).every(({ state }) => state === 'delivered')).toBe(true)
  })

  it('[ES6] both lose their sessions while messages are on their way', async () => {
    const { world, ana, bo } = await pair(503)
    world.network.partition(ana.messenger.identity.device, bo.messenger.identity.device, true)
    for (const number of [1, 2, 3]) {
      await world.send(ana, bo, `to bo ${number}`)
      await world.send(bo, ana, `to ana ${number}`)
    }
    await world.run(1_000)
    for (const node of [ana, bo]) world.kill(node)
    for (const [node, other] of [
      [ana, bo],
      [bo, ana],
    ] as const) {
      const device = other.messenger.identity.device
      const session = await node.store.session(device)
      if (session === null) throw new Error('no session')
      await node.store.commit([{ kind: 'session.put', session: { ...session, version: session.version + 1, state: new Uint8Array() } }])
    }
    const [ana2, bo2] = [await world.restart(ana), await world.restart(bo)]
    world.network.partition(ana.messenger.identity.device, bo.messenger.identity.device, false)
    await world.run(180_000)
    expect(texts(await world.history(bo2, ana2)).filter((text) => text.startsWith('to bo'))).toEqual(['to bo 1', 'to bo 2', 'to bo 3'])
    expect(texts(await world.history(ana2, bo2)).filter((text) => text.startsWith('to ana'))).toEqual(['to ana 1', 'to ana 2', 'to ana 3'])
    expect((await world.history(ana2, bo2)).every(({ state }) => state === 'delivered')).toBe(true)
  })

  it('[ES6] what programs tell each other is not lost with the session in which it was sealed', async () => {
    const { world, ana, bo } = await pair(505)
    const [here, there] = [ana.messenger.identity, bo.messenger.identity]
    world.network.partition(here.device, there.device, true)
    await ana.messenger.proofs.allow(true, there.account)
    expect(await ana.store.outbox(there.device, 0, 9)).toMatchObject([{ transient: true }])
    const session = await bo.store.session(here.device)
    if (session === null) throw new Error('no session')
    world.kill(bo)
    await bo.store.commit([{ kind: 'session.put', session: { ...session, version: session.version + 1, state: new Uint8Array() } }])
    const again = await world.restart(bo)
    world.network.mend()
    await world.run(60_000)
    expect(again.messenger.proofs.state(here.account).theirs).toBe(true)
    expect(await ana.store.outbox(there.device, 0, 9)).toEqual([])
  })

  it('[EB6] a rotated prekey reaches the contacts, and their older bundle still works', async () => {
    const { world, ana, bo } = await pair(504)
    const bundleOfBo = (node: WorldNode) => node.messenger.book.device(bo.messenger.identity.device)?.bundle
    const before = bundleOfBo(ana)
    for (const node of [ana, bo]) world.kill(node)
    await world.clock.advance(8 * DAY_MS)
    const [ana2, bo2] = [await world.restart(ana), await world.restart(bo)]
    expect(bundleOfBo(ana2)).toEqual(before)
    await world.send(ana2, bo2, 'a week later')
    await world.run(60_000)
    expect(bundleOfBo(ana2)).not.toEqual(before)
    expect(texts(await world.history(bo2, ana2))).toContain('a week later')
  })
})
