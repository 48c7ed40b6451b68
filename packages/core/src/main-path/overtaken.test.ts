/** More messages than a session can skip are lost for good: what comes behind them is delivered all the same (ES14). */
import { describe, expect, it } from 'vitest'
import { MAX_SKIPPED_PER_STEP } from '../e2ee/ratchet.ts'
import { again, A, scene, states, texts } from '../testing/mail-scene.ts'
import { World, type WorldNode } from '../testing/world.ts'
import type { MainPath } from './context.ts'
import { receiveMail } from './receive-mail.ts'

const DAY_MS = 86_400_000
const deviceOf = ({ messenger }: WorldNode) => messenger.identity.device
const asked = ({ logger }: WorldNode): number => logger.lines.filter(({ event }) => event === 'session-restarted').length

function pathOf({ messenger }: WorldNode): MainPath {
  const path = messenger['mainPath']
  if (path === undefined) throw new Error('not running')
  return path
}

/** What carriers took and lost, or was given up, of one more than a session can skip. */
async function lose(from: WorldNode, to: WorldNode): Promise<void> {
  const { cipher, store } = pathOf(from)
  const pair = await cipher.pair(deviceOf(to))
  const writes = Array.from({ length: MAX_SKIPPED_PER_STEP + 1 }, () => pair.seal(new Uint8Array(1)).writes)
  await store.commit(writes.flat())
}

function apart({ network }: World, one: WorldNode, other: WorldNode, cut = true): void {
  network.partition(deviceOf(one), deviceOf(other), cut)
}

/** Started again so much later, with time for mail to be looked at twice. */
async function startedAfter(world: World, node: WorldNode, ms: number): Promise<WorldNode> {
  world.kill(node)
  await world.clock.advance(ms)
  const later = await again(world, node)
  await world.run(120_000)
  return later
}

describe('what comes behind more than a session can skip', () => {
  it('[ES14] arrives over a stream, once, and so does what follows in both directions', async () => {
    const world = new World(771)
    const [ana, bo] = [await world.start('ana'), await world.start('bo')]
    await world.befriend(ana, bo)
    await world.send(ana, bo, 'before')
    await world.run(2_000)
    apart(world, ana, bo)
    await lose(ana, bo)
    for (const text of ['behind', 'and this']) await world.send(ana, bo, text)
    apart(world, ana, bo, false)
    await world.run(60_000)
    await world.send(bo, ana, 'answer')
    await world.run(1_000)
    await world.send(ana, bo, 'next')
    await world.run(5_000)
    expect(await texts(world, bo, ana)).toEqual(['before', 'behind', 'and this', 'answer', 'next'])
    expect(await states(world, ana, bo)).toEqual(Array(5).fill('delivered'))
    expect(asked(bo)).toBe(1)
  })

  it('[ES14] arrives by mail, once, when all that lies there was looked at', async () => {
    const { world, ana, bo, relays } = await scene(772)
    await world.send(ana, bo, 'before')
    await world.run(2_000)
    apart(world, ana, bo)
    await lose(ana, bo)
    await world.send(ana, bo, 'behind')
    const [row] = await ana.store.outbox(deviceOf(bo), 0, 1)
    const early = await pathOf(ana).envelopes.seal(deviceOf(bo), row?.sealed ?? new Uint8Array())
    expect(await receiveMail(pathOf(bo), early, { isAgain: false, onFrom: () => undefined })).toBe('later')
    expect(asked(bo)).toBe(0)
    await world.run(120_000)
    expect(await texts(world, bo, ana)).toEqual(['before', 'behind'])
    expect(await states(world, ana, bo)).toEqual(['delivered', 'delivered'])
    await world.send(ana, bo, 'next')
    await world.run(60_000)
    expect(await texts(world, bo, ana)).toEqual(['before', 'behind', 'next'])
    expect(asked(bo)).toBe(1)
    world.kill(ana)
    // The copies in the session that was left go once nothing can come any more that they need.
    const later = await startedAfter(world, bo, 4 * DAY_MS)
    expect([asked(later), await relays[0]?.store.totals()]).toEqual([0, { envelopes: 0, bytes: 0 }])
  })

  it('[ES14] is asked about once a day while its sender is away', async () => {
    const { world, ana, bo } = await scene(773)
    apart(world, ana, bo)
    await lose(ana, bo)
    world.kill(bo)
    await world.send(ana, bo, 'behind')
    await world.run(10_000)
    world.kill(ana)
    const first = await startedAfter(world, bo, 0)
    expect(asked(first)).toBe(1)
    const later = await startedAfter(world, first, DAY_MS - 600_000)
    expect(asked(later)).toBe(0)
    const last = await startedAfter(world, later, 600_000)
    expect(asked(last)).toBe(1)
    const back = await again(world, ana)
    await world.run(120_000)
    expect(await texts(world, last, back)).toEqual(['behind'])
    expect(await states(world, back, last)).toEqual(['delivered'])
  })

  it('[ES14] reaches an own device that was off for too long', async () => {
    const { world, ana, bo } = await scene(774)
    const fresh = await world.start('bo phone', { mailboxes: [A] })
    const phone = await world.link(bo, fresh, () => ({ store: fresh.store.reopened(), mailboxes: [A] }))
    await world.run(60_000)
    world.kill(phone)
    await lose(bo, phone)
    await world.send(bo, ana, 'behind')
    await world.run(60_000)
    const back = await again(world, phone)
    apart(world, bo, back)
    await world.run(700_000)
    expect(await texts(world, back, ana)).toEqual(['behind'])
  })
})
