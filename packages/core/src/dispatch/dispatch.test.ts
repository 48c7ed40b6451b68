import { describe, expect, it } from 'vitest'
import { Turnstile } from '../delivery/turnstile.ts'
import type { DeviceId } from '../ids.ts'
import { settle } from '../testing/virtual-clock.ts'
import { World, type WorldNode } from '../testing/world.ts'

const DAY_MS = 86_400_000

async function friends(seed: number): Promise<{ world: World; ana: WorldNode; bo: WorldNode }> {
  const world = new World(seed)
  const [ana, bo] = [await world.start('ana'), await world.start('bo')]
  await world.befriend(ana, bo)
  return { world, ana, bo }
}

const states = async (world: World, from: WorldNode, to: WorldNode) =>
  (await world.history(from, to)).map(({ state, reason }) => [state, reason])

describe('dispatch', () => {
  it('[DL13] a message is given up when its time is over, and can be sent again', async () => {
    const { world, ana, bo } = await friends(41)
    world.kill(bo)
    const [short] = [await ana.messenger.send(world.contactOf(ana, bo), 'short', { expireMs: 60_000 }), await world.send(ana, bo, 'long')]
    await world.run(100_000)
    expect(await states(world, ana, bo)).toEqual([
      ['failed', 'expired'],
      ['queued', null],
    ])
    expect(ana.events.some((event) => event.kind === 'state' && event.message.id === short.id && event.message.state === 'failed')).toBe(
      true,
    )
    expect((await ana.messenger.deliveries.outbox()).map(({ expiresAt }) => expiresAt - world.clock.now() > 29 * DAY_MS)).toEqual([true])
    await ana.messenger.deliveries.retry(short.id)
    await expect(ana.messenger.deliveries.retry(short.id)).rejects.toMatchObject({ code: 'MESSAGE_UNKNOWN' })
    const back = await world.restart(bo)
    await world.run(300_000)
    expect(await states(world, ana, back)).toEqual(Array(2).fill(['delivered', null]))
    expect((await world.history(back, ana)).map(({ text }) => text)).toEqual(['short', 'long'])
  })

  it('[BK4] what a device that is gone has sent is not sent again under its id: it may have been heard', async () => {
    const { world, ana, bo } = await friends(40)
    const { id } = await world.send(ana, bo, 'from before')
    await world.run(2_000)
    const message = await ana.store.message(id, 'out')
    if (message === null) throw new Error('nothing was sent')
    // As a restore puts it there: sent by the device that the backup was made on.
    const old = {
      ...message,
      id: message.id.replace(/^./, '0') as typeof id,
      sender: bo.messenger.identity.device,
      state: 'failed',
    } as const
    await ana.store.commit([{ kind: 'message.insert', message: { ...old, reason: 'restored' } }])
    await expect(ana.messenger.deliveries.retry(old.id)).rejects.toMatchObject({ code: 'NOT_YOURS' })
    expect(await ana.messenger.deliveries.outbox()).toEqual([])
  })

  it('[DL13] an edit is not given up before the message that it is about is long forgotten: both sides show the same', async () => {
    const { world, ana, bo } = await friends(47)
    world.skipsIdle = true
    const { id } = await world.send(ana, bo, 'at five')
    await world.run(5_000)
    world.kill(bo)
    await ana.messenger.conversation.annotate({ kind: 'edit', target: id, text: 'at six' })
    world.clock.jump(60 * DAY_MS)
    await world.run(100_000)
    const back = await world.restart(bo)
    await world.run(300_000)
    for (const [at, of] of [
      [ana, bo],
      [back, ana],
    ] as const)
      expect((await world.history(at, of)).map(({ text }) => text)).toEqual(['at six'])
  })

  it('[DL16] each device of the recipient is told of: what waits, what has failed and why, and what has arrived', async () => {
    const { world, ana, bo } = await friends(46)
    world.kill(bo)
    const { id } = await ana.messenger.send(world.contactOf(ana, bo), 'x', { expireMs: 60_000 })
    const device = bo.messenger.identity.device
    const { deliveries } = ana.messenger
    expect(await deliveries.states(id)).toEqual([{ device, state: 'queued', reason: null, at: null }])
    await world.run(100_000)
    expect(await deliveries.states(id)).toMatchObject([{ device, state: 'failed', reason: 'expired' }])
    await deliveries.retry(id, 3_600_000)
    expect(await deliveries.states(id)).toEqual([{ device, state: 'queued', reason: null, at: null }])
    expect((await deliveries.outbox()).map(({ expiresAt }) => expiresAt - world.clock.now())).toEqual([3_600_000])
    await world.restart(bo)
    await world.run(300_000)
    expect(await deliveries.states(id)).toMatchObject([{ device, state: 'delivered', reason: null, at: expect.any(Number) }])
    await expect(deliveries.states(`0${id.slice(1)}` as typeof id)).rejects.toMatchObject({ code: 'MESSAGE_UNKNOWN' })
  })

  it('[DL17] a message can be taken back while it is in the outbox', async () => {
    const { world, ana, bo } = await friends(42)
    world.kill(bo)
    const { id } = await world.send(ana, bo, 'never mind')
    await ana.messenger.deliveries.cancel(id)
    await expect(ana.messenger.deliveries.cancel(id)).rejects.toMatchObject({ code: 'MESSAGE_UNKNOWN' })
    expect(await states(world, ana, bo)).toEqual([['failed', 'cancelled']])
    const back = await world.restart(bo)
    await world.run(200_000)
    expect(await world.history(back, ana)).toEqual([])
  })

  it('[DL17] a message that is taken back before it has left waits for nothing; one that was on its way has come', async () => {
    const { world, ana, bo } = await friends(48)
    world.kill(bo)
    const [sent, late] = [await world.send(ana, bo, 'never mind'), await world.send(ana, bo, 'too late')]
    await world.run(5_000)
    for (const { id } of [sent, late]) await ana.messenger.conversation.annotate({ kind: 'deletion', target: id })
    expect(await states(world, ana, bo)).toEqual(Array(2).fill(['failed', 'cancelled']))
    const { device } = bo.messenger.identity
    await ana.store.commit([{ kind: 'outbox.acknowledged', message: late.id, device, state: 'delivered', at: 5 }])
    expect((await states(world, ana, bo)).map(([state]) => state)).toEqual(['failed', 'delivered'])
  })

  it('[DL12] [DL16] a device of which no key is known waits alone; the message shows what the others have reached', async () => {
    const { world, ana, bo } = await friends(43)
    const contact = world.contactOf(ana, bo)
    const [first] = ana.messenger.book.devicesOf(contact.account)
    if (first === undefined) throw new Error('bo has no device')
    const second: DeviceId = world.strangerDevice()
    await ana.store.commit([{ kind: 'contact.put', contact, devices: [first, { ...first, device: second, bundle: new Uint8Array() }] }])
    world.kill(ana)
    const again = await world.restart(ana)
    const { id } = await world.send(again, bo, 'hello')
    await world.run(5_000)
    expect(await states(world, again, bo)).toEqual([['delivered', null]])
    expect((await world.history(bo, again)).map(({ text }) => text)).toEqual(['hello'])
    expect(await again.messenger.deliveries.outbox()).toMatchObject([{ message: id, device: second, hold: 'no-keys', state: 'queued' }])
    expect(await again.store.progress(id)).toMatchObject([{ device: first.device, state: 'delivered' }])
    // What it was waiting for comes: it is sealed and tried.
    const known = again.messenger.book.device(second)
    if (known === undefined) throw new Error('the second device is not known')
    await again.store.commit([{ kind: 'contact.put', contact, devices: [first, { ...known, bundle: first.bundle }] }])
    world.kill(again)
    const third = await world.restart(again)
    await world.run(1_000)
    expect((await third.store.outbox(second, 0, 9)).map(({ sealed }) => sealed.length > 0)).toEqual([false])
  })

  it('[DL14] when a device is tried next survives a restart; its appearance cuts the wait short', async () => {
    const { world, ana, bo } = await friends(44)
    world.kill(bo)
    await world.send(ana, bo, 'later')
    await world.run(400_000)
    const [before] = await ana.store.outboxDevices()
    expect(before?.attempts).toBeGreaterThan(5)
    world.kill(ana)
    const again = await world.restart(ana)
    let opened = 0
    const { open } = again.swarm
    again.swarm.open = (device, protocol) => {
      if (protocol === '/skein/deliver/1') opened += 1
      return open.call(again.swarm, device, protocol)
    }
    await world.run(Math.max(0, (before?.nextAt ?? 0) - world.clock.now() - 1_000))
    expect(opened).toBe(0)
    const back = await world.restart(bo)
    await world.run(10_000)
    expect((await world.history(back, again)).map(({ text }) => text)).toEqual(['later'])
  })

  it('[DL15] dials wait their turn: none is left out, no more than allowed at once', async () => {
    const gate = new Turnstile(2)
    const done: number[] = []
    const enders: (() => void)[] = []
    const works = [0, 1, 2, 3].map((number) =>
      gate.pass(async () => {
        await new Promise<void>((resolve) => enders.push(resolve))
        done.push(number)
      }),
    )
    await settle()
    expect(enders).toHaveLength(2)
    while (done.length < 4) {
      enders.shift()?.()
      await settle()
    }
    await Promise.all(works)
    expect(done).toEqual([0, 1, 2, 3])
  })
})
