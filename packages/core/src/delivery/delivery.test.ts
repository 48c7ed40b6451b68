import { describe, expect, it } from 'vitest'
import { accountIdFromDigest, deviceIdFromKey, messageIdFromBytes } from '../ids.ts'
import type { Channel } from '../ports/swarm.ts'
import type { OutboxRow } from '../ports/store.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import { openStamps, stampWrite } from '../main-path/stamps.ts'
import { MemoryStore } from '../testing/memory-store.ts'
import { settle, VirtualClock } from '../testing/virtual-clock.ts'
import { World } from '../testing/world.ts'
import { decodeDeliverFrame, encodeAcknowledgement } from '../wire/deliver.ts'
import { backoff } from './backoff.ts'
import { type CarrierView, chooseCarriers } from './choose-carrier.ts'
import { DeliveryLink, MAX_IN_FLIGHT, MAX_IN_FLIGHT_BYTES } from './delivery-link.ts'
import { compareStamps, isTolerated, MAX_SKEW_MS, resumed, tick } from './hybrid-clock.ts'

const device = deviceIdFromKey(new Uint8Array(32))
const row = (number: number, bytes = 1): OutboxRow => ({
  message: messageIdFromBytes(Uint8Array.from({ length: 16 }, (_, at) => (at < 4 ? (number >> (8 * at)) & 0xff : 0))),
  contact: accountIdFromDigest(new Uint8Array(32)),
  device,
  seq: number,
  sealed: new Uint8Array(bytes),
  state: 'queued',
  carriers: [],
  expiresAt: Number.MAX_SAFE_INTEGER,
  transient: false,
  content: null,
})

function stalledChannel(): Channel & { sent: number } {
  const channel = { peer: device, sent: 0, send: async () => ++channel.sent > 0, frames: async function* () {}, close: () => undefined }
  return channel
}
const events = { onAcknowledged: async () => undefined, onRoom: () => undefined, onOffence: () => undefined, onFailure: () => undefined }

describe('delivery', () => {
  it('[DL3] [DL11] a stream takes what it can; who is away gets it by two mailboxes and the mesh, and what nothing takes is held with a reason', () => {
    const mailboxes = ['a', 'b', 'c']
    const view: CarrierView = {
      ...{ blocked: false, accepted: true, keysChanged: false, sealed: true, direct: 'unknown' },
      ...{ mailboxes, carriers: [], meshTakes: false, refusal: null },
    }
    const plan = (change: Partial<CarrierView>) => chooseCarriers({ ...view, ...change })
    const nothing = { direct: false, mailboxes: [], mesh: false }
    expect([plan({ direct: 'open' }), plan({})]).toEqual(Array(2).fill({ ...nothing, direct: true, hold: null }))
    expect(plan({ direct: 'away' })).toEqual({ direct: true, mailboxes: ['a', 'b'], mesh: false, hold: null })
    expect(plan({ direct: 'away', meshTakes: true, carriers: ['a'] })).toEqual({ direct: true, mailboxes: ['b'], mesh: true, hold: null })
    expect(plan({ direct: 'away', meshTakes: true, carriers: ['a', 'b', 'mesh'] })).toEqual({ ...nothing, direct: true, hold: null })
    expect(plan({ direct: 'away', mailboxes: [] }).hold).toBe('no-path')
    expect(plan({ direct: 'away', mailboxes: [], carriers: ['gone'] }).hold).toBeNull()
    expect(plan({ direct: 'away', refusal: 'no-tokens' })).toMatchObject({ mailboxes: ['a', 'b'], hold: 'no-tokens' })
    expect(plan({ direct: 'away', refusal: 'mailbox-full', meshTakes: true }).hold).toBeNull()
    expect(plan({ direct: 'away', refusal: 'mailbox-away', carriers: ['mesh'] }).hold).toBeNull()
    expect(plan({ blocked: true })).toEqual({ ...nothing, hold: 'blocked' })
    expect(plan({ accepted: false })).toEqual({ ...nothing, hold: 'not-accepted' })
    expect([plan({ sealed: false }).hold, plan({ sealed: false, keysChanged: true }).hold]).toEqual(['no-keys', 'keys-changed'])
  })

  it('[DL4] waits grow, keep to their bounds and differ', () => {
    const random = seededRandom(5)
    const waits = Array.from({ length: 12 }, (_, attempts) => backoff(attempts, random, { first: 1_000, most: 60_000 }))
    for (const [attempts, wait] of waits.entries()) {
      const ceiling = Math.min(60_000, 1_000 * 2 ** attempts)
      expect(wait).toBeGreaterThanOrEqual(ceiling / 2)
      expect(wait).toBeLessThanOrEqual(ceiling)
    }
    expect(new Set(waits).size).toBe(12)
  })

  it('[DL5] a link that is not acknowledged takes a bounded number of rows and bytes', async () => {
    const [many, large] = [stalledChannel(), stalledChannel()]
    const [first, second] = [new DeliveryLink(many, events), new DeliveryLink(large, events)]
    for (let number = 0; number < 3_000; number += 1) first.post(row(number))
    for (let number = 0; number < 100; number += 1) second.post(row(number, 60_000))
    for (let turn = 0; turn < 20; turn += 1) await settle()
    expect(many.sent).toBe(MAX_IN_FLIGHT)
    expect(large.sent).toBeLessThanOrEqual(Math.ceil(MAX_IN_FLIGHT_BYTES / 60_000))
  })

  it('[DL4] what is written while a long backlog drains goes behind it', async () => {
    const world = new World(32)
    const [ana, bo] = [await world.start('ana'), await world.start('bo')]
    await world.befriend(ana, bo)
    const to = bo.messenger.identity.device
    const BACKLOG = MAX_IN_FLIGHT + 700
    const rows = Array.from({ length: BACKLOG + 3 }, (_, at): OutboxRow => ({ ...row(at + 1_000), device: to, transient: true }))
    await ana.store.commit(rows.slice(0, BACKLOG).map((each) => ({ kind: 'outbox.insert', row: each }) as const))
    const heard: number[] = []
    const late = rows.slice(BACKLOG)
    bo.swarm.handle('/skein/deliver/1', async (channel) => {
      for await (const bytes of channel.frames()) {
        const frame = decodeDeliverFrame(bytes)
        if (frame.kind !== 'delivery') continue
        heard.push(frame.seq)
        await channel.send(encodeAcknowledgement([frame.id]))
        const next = heard.length % 300 === 0 ? late.shift() : undefined
        if (next === undefined) continue
        await ana.store.commit([{ kind: 'outbox.insert', row: next }])
        ana.messenger['dispatcher'].post(next)
      }
    })
    ana.messenger.deliveries.wakeAll()
    ana.messenger['dispatcher'].wake(to)
    await world.run(10_000)
    expect(late).toEqual([])
    expect(heard.filter((seq) => seq >= 1_000)).toEqual(rows.map(({ seq }) => seq))
  })

  it('[DL6] a link that acknowledges nothing is given up and tried anew', async () => {
    const world = new World(30)
    const [ana, bo] = [await world.start('ana'), await world.start('bo')]
    await world.befriend(ana, bo)
    let opened = 0
    bo.swarm.handle('/skein/deliver/1', async (channel) => {
      opened += 1
      for await (const _ of channel.frames()) await settle()
    })
    await world.send(ana, bo, 'is anybody there?')
    await world.run(90_000)
    expect(opened).toBeGreaterThan(1)
  })

  it('[DL6] connections to a device are in doubt when it acknowledges nothing for seconds, once, and not while it does', async () => {
    const world = new World(31)
    const [ana, bo] = [await world.start('ana'), await world.start('bo')]
    await world.befriend(ana, bo)
    for (let number = 0; number < 20; number += 1) {
      await world.send(ana, bo, `number ${number}`)
      await world.run(1_000)
    }
    await world.run(60_000)
    expect(ana.swarm.doubted).toEqual([])
    const mute = await world.start('mute')
    await world.befriend(ana, mute)
    mute.swarm.handle('/skein/deliver/1', async (channel) => {
      for await (const _ of channel.frames()) await settle()
    })
    await world.send(ana, mute, 'is anybody there?')
    await world.run(3_000)
    expect(ana.swarm.doubted).toEqual([])
    await world.run(12_000)
    expect(ana.swarm.doubted).toEqual([mute.messenger.identity.device])
  })

  it('[DL8] order never goes back with the wall clock, and a device from next year does not take us along', () => {
    const first = tick({ ms: 0, counter: 0 }, 1_000)
    const second = tick(first, 500)
    expect(compareStamps(second, first)).toBeGreaterThan(0)
    expect(tick({ ms: 1_000, counter: 0xffff }, 1_000)).toEqual({ ms: 1_001, counter: 0 })
    expect([
      isTolerated({ ms: 1_000 + MAX_SKEW_MS, counter: 3 }, 1_000),
      isTolerated({ ms: 1_001 + MAX_SKEW_MS, counter: 3 }, 1_000),
    ]).toEqual([true, false])
    expect(resumed({ ms: 1_001 + MAX_SKEW_MS, counter: 3 }, 1_000)).toEqual({ ms: 1_000, counter: 0 })
  })

  it('[DL8] a date that was wrong once spoils order no longer than it was, also over a restart', async () => {
    const [store, clock] = [new MemoryStore(), new VirtualClock()]
    const year = 365 * 86_400_000
    const wrong = { now: () => clock.now() + year, monotonic: () => 0, sleep: clock.sleep }
    const ahead = (await openStamps(store, wrong)).next()
    await store.commit([stampWrite({ ...(await openStamps(store, wrong)), current: () => ahead })])
    const again = await openStamps(store, clock)
    expect(again.next()).toEqual({ ms: clock.now(), counter: 1 })
    let isWrong = true
    const running = await openStamps(store, { now: () => clock.now() + (isWrong ? year : 0), monotonic: () => 0, sleep: clock.sleep })
    running.next()
    isWrong = false
    expect(running.next().ms).toBe(clock.now())
  })

  it('[DL8] what comes from far ahead in one millisecond keeps its order, behind what is here', async () => {
    const stamps = await openStamps(new MemoryStore(), new VirtualClock())
    const before = stamps.next()
    const far = [1, 2, 3].map((counter) => stamps.observe({ ms: 9e14, counter }))
    const all = [before, ...far, stamps.next()]
    for (const [at, stamp] of all.slice(1).entries()) expect(compareStamps(stamp, all[at] ?? stamp)).toBeGreaterThan(0)
  })
})
